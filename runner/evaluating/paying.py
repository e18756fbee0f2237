"""What the questions of an evaluation may cost at most, which is confirmed before anything is sent."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from runner.errors import OverBudgetError, RunnerError
from runner.evaluating.study import Study
from runner.evaluating.wanted import Console
from runner.evaluation.ask import Answer, AnswerCache
from runner.evaluation.candidates import RETRIEVAL, Candidate
from runner.evaluation.cost import Rate, rate_of, rate_of_model
from runner.evaluation.scores import judge_request
from runner.examples.content import counted_turns, holds_images
from runner.graders.grade import judging_parts
from runner.graders.judge import longest_question, question_of
from runner.graders.model import JudgingGrader
from runner.graders.template import Sample, TemplateError
from runner.operator import Operator
from runner.price import shown_usd
from runner.providers.base import ChatRequest
from runner.providers.hosts import Host

# An answer is taken to be no longer than eight bytes for each of its tokens; Korean and English come to three
# to six.
ANSWER_BYTES_PER_TOKEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidBatch:
    """Questions that would be paid for: how many, and at most how many dollars, None if unknown."""

    name: str
    model: str
    provider: str
    n: int
    usd: float | None = None

    def __str__(self) -> str:
        many = "1 question" if self.n == 1 else f"{self.n} questions"
        price = "price unknown" if self.usd is None else f"at most {shown_usd(self.usd)}"
        return f"{self.name}: {many} to {self.model} at {self.provider}, {price}"


def paid_batch(
    candidate: Candidate, host: Host, requests: Sequence[ChatRequest], cache: AnswerCache
) -> PaidBatch:
    """What asking a candidate would cost that was not asked before."""
    new = [request for request in requests if cache.get(request) is None]
    usd = _most_usd(rate_of(candidate, host), new)
    return PaidBatch(
        name=candidate.name, model=candidate.model or "", provider=host.name, n=len(new), usd=usd
    )


def judging_batches(study: Study) -> list[PaidBatch]:
    """What asking the models that judge would cost, a batch for each model.

    An answer that is kept is judged as it is, once; one that is still to come may be as long as
    `evaluation.max_tokens` lets it.
    """
    requests: dict[str, list[ChatRequest]] = {}
    for grader in study.graders:
        for part in judging_parts(grader):
            asked = requests.setdefault(part.model, [])
            for candidate in study.candidates:
                asked += _judging_requests(study, part, candidate)
    return [
        PaidBatch(
            name="graders",
            model=model,
            provider=study.judge.name,
            n=len(asked),
            usd=_most_usd(rate_of_model(model, study.judge), asked),
        )
        for model, asked in requests.items()
    ]


def _judging_requests(study: Study, part: JudgingGrader, candidate: Candidate) -> Iterator[ChatRequest]:
    """The questions about a candidate's answers that the judge did not answer before."""
    judged = study.cache(study.judge)
    for item, answer in zip(study.items, _known_answers(study, candidate), strict=True):
        with suppress(TemplateError):  # The grader would fail the same way, and ask nothing.
            if answer is None:
                yield judge_request(longest_question(part, _most_bytes(study, candidate), item.values))
                continue
            sample = Sample(output_text=answer.text, output_tools=tuple(answer.tool_calls))
            request = judge_request(question_of(part, sample, item.values))
            if judged.get(request) is None:
                yield request


def _known_answers(study: Study, candidate: Candidate) -> list[Answer | None]:
    host = study.hosts.get(candidate.provider)
    if host is None:
        return [None] * len(study.items)
    return [study.cache(host).get(request) for request in study.requests(candidate)]


def _most_bytes(study: Study, candidate: Candidate) -> int:
    """How long an answer may be: a record that is looked up is no longer than the longest."""
    if candidate.name == RETRIEVAL:
        return max((len(example.messages[-1].content.encode()) for example in study.training), default=0)
    return study.section.max_tokens * ANSWER_BYTES_PER_TOKEN


def _most_usd(rate: Rate | None, requests: Sequence[ChatRequest]) -> float | None:
    """At most so many dollars; None where the price or the size of a request is not known."""
    if rate is None or not all(map(_is_bounded, requests)):
        return None
    read = sum(map(_estimated_tokens, requests))
    return rate.usd(read, sum(request.max_tokens or 0 for request in requests))


def confirm_paid(batches: Sequence[PaidBatch], operator: Operator, console: Console) -> None:
    """Ask before anything paid is sent. Raises OverBudgetError, RunnerError."""
    open_ones = [batch for batch in batches if batch.n != 0]
    if not open_ones:
        return
    unknown = next((batch for batch in open_ones if batch.usd is None), None)
    if unknown is not None and not operator.allow_unknown_price:
        raise OverBudgetError(
            f"the price of asking {unknown.model} at {unknown.provider} is not known, which is not zero. "
            "Add it to a host entry of your own, or accept it with --allow-unknown-price."
        )
    most, limit = sum(batch.usd or 0.0 for batch in open_ones), operator.max_cost_usd
    if limit is not None and most > limit:
        raise OverBudgetError(
            f"the questions would cost up to {shown_usd(most)}, above --max-cost of ${limit:g}. "
            "Nothing was sent."
        )
    if not console.confirm("\n".join(map(str, open_ones))):
        raise RunnerError("not confirmed; nothing was sent.")


def _is_bounded(request: ChatRequest) -> bool:
    """Whether the most that a question can cost is known; every host has other prices for images."""
    has_images = any(holds_images(message) for message in request.messages)
    return request.max_tokens is not None and not has_images


def _estimated_tokens(request: ChatRequest) -> int:
    # Two UTF-8 bytes to a token is more than any tokenizer in use needs for English or Korean.
    [turns] = counted_turns({"messages": request.messages, **request.beside})
    return sum(len(text.encode()) // 2 + 4 for _, text in turns)
