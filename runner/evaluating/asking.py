"""Asks every candidate every question, paid ones after a yes, and scores the answers."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from runner.errors import OverBudgetError, ProviderError, RunnerError
from runner.evaluating.study import Study
from runner.evaluating.wanted import Console
from runner.evaluation.ask import Answer, AnswerCache, Asking, ask_all
from runner.evaluation.assemble import Outcome
from runner.evaluation.candidates import Candidate
from runner.evaluation.cost import rate_of
from runner.evaluation.scores import chat_with, judges, score_all
from runner.examples.content import counted_turns, holds_images
from runner.graders.grade import Means
from runner.operator import Operator
from runner.providers.base import ChatRequest, Provider
from runner.providers.hosts import Host
from runner.run_state import provider_of


def ask(study: Study, console: Console) -> list[Outcome]:
    """Ask every candidate every question and score the answers."""
    _confirm(study, console)
    with ExitStack() as stack:
        opened: dict[str, Provider] = {}

        def provider(host: Host) -> Provider:
            if host.name not in opened:
                opened[host.name] = provider_of(host, study.loaded.project, study.operator)
                stack.callback(opened[host.name].close)
            return opened[host.name]

        # A key that is missing is missed before the first question, not after all those of another host.
        for each in study.hosts.values():
            provider(each)
        outcomes = []
        judge = provider(study.judge) if judges(study.graders) else None
        for candidate in study.candidates:
            host = study.hosts.get(candidate.provider)
            answers = _looked_up(study) if host is None else _asked(study, candidate, provider(host), console)
            if candidate.name == study.subject:
                _refuse_silence(candidate, answers)
            outcomes.append(_scored(study, candidate, answers, judge))
    return outcomes


def _scored(study: Study, candidate: Candidate, answers: list[Answer], judge: Provider | None) -> Outcome:
    judged: list[tuple[str, Answer]] = []

    def told(model: str, reply: Answer) -> None:
        judged.append((model, reply))

    chat = chat_with(judge, study.cache(study.judge), told) if judge is not None else None
    means = Means(chat=chat, allow_code=study.wanted.allow_code)
    return Outcome(
        candidate=candidate,
        answers=answers,
        scored=score_all(study.graders, study.items, answers, means, study.wanted.concurrency),
        host=study.hosts.get(candidate.provider),
        judged=judged,
        judge=study.judge,
    )


def _asked(study: Study, candidate: Candidate, provider: Provider, console: Console) -> list[Answer]:
    requests = study.requests(candidate)
    console.say(f"asking {candidate.name} ({candidate.model} at {candidate.provider})")
    asking = Asking(
        provider=provider,
        cache=study.cache(study.hosts[candidate.provider]),
        clock=study.operator.clock,
        # The service here answers one after the other: more at a time would only measure their queue.
        concurrency=1 if study.hosts[candidate.provider].is_local else study.wanted.concurrency,
        told=lambda done: console.count(done, len(requests)),
    )
    return ask_all(asking, requests)


def _looked_up(study: Study) -> list[Answer]:
    """The answer of the nearest training record, for every question."""
    nearest, clock = study.prompter.nearest, study.operator.clock
    if nearest is None:
        raise AssertionError("BUG: nothing to look answers up in")
    answers = []
    for item in study.items:
        started = clock.now()
        found = nearest.find(item.question, 1)
        text = found[0].example.messages[-1].content if found else ""
        taken_s = round(clock.now() - started, 4)
        answers.append(Answer(text=text, latency_s=taken_s, prompt_tokens=0, completion_tokens=0))
    return answers


def _refuse_silence(candidate: Candidate, answers: Sequence[Answer]) -> None:
    if all(answer.failure is not None for answer in answers):
        raise ProviderError(
            f"{candidate.name} ({candidate.model} at {candidate.provider}) answered none of "
            f"{len(answers)} questions: {answers[0].failure}"
        )


def _confirm(study: Study, console: Console) -> None:
    """Ask before paid questions are sent. Raises OverBudgetError, RunnerError."""
    batches = [
        paid_batch(candidate, host, study.requests(candidate), study.cache(host))
        for candidate in study.candidates
        if (host := study.hosts.get(candidate.provider)) is not None and host.paid
    ]
    if judges(study.graders) and study.judge.paid:
        batches.append(PaidBatch(name="graders", model="models that judge", provider=study.judge.name))
    confirm_paid(batches, study.operator, console)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidBatch:
    """Questions that would be paid for: how many, and at most how many dollars, None if unknown."""

    name: str
    model: str
    provider: str
    n: int | None = None
    usd: float | None = None

    def __str__(self) -> str:
        many = "" if self.n is None else f"{self.n} questions to "
        price = "price unknown" if self.usd is None else f"at most ${self.usd:.2f}"
        return f"{self.name}: {many}{self.model} at {self.provider}, {price}"


def paid_batch(
    candidate: Candidate, host: Host, requests: Sequence[ChatRequest], cache: AnswerCache
) -> PaidBatch:
    """What asking a candidate would cost that was not asked before."""
    new = [request for request in requests if cache.get(request) is None]
    rate, known = rate_of(candidate, host), all(map(_is_bounded, new))
    usd = None
    if rate is not None and known:
        read = sum(_estimated_tokens(request) for request in new)
        usd = rate.usd(read, sum(request.max_tokens or 0 for request in new))
    return PaidBatch(
        name=candidate.name, model=candidate.model or "", provider=host.name, n=len(new), usd=usd
    )


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
            f"the questions would cost up to ${most:.2f}, above --max-cost of ${limit:g}. Nothing was sent."
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
