"""Scores answers with the graders of a recipe."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runner.canonical import sha256_of
from runner.errors import ProviderError
from runner.evaluation.ask import Answer, AnswerCache
from runner.evaluation.items import Item
from runner.graders.grade import Means, code_graders, grade, judging_models
from runner.graders.judge import Chat, JudgeUnavailableError, Question, Reply
from runner.graders.model import Grader, TextSimilarity
from runner.graders.parse import parse_grader
from runner.graders.similarity import similarity
from runner.graders.template import Sample
from runner.graders.tokens import VERSION
from runner.providers.base import ChatRequest, Provider
from runner.recipe.model import Evaluation

# Enough for JSON with one value.
MAX_JUDGE_TOKENS = 256
# The sampling parameters of a grader that stand in a request as they are.
BESIDE = ("top_p", "reasoning_effort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The scores of one answer by grader, or why there are none."""

    scores: Mapping[str, float]
    failure: str | None = None


def graders_of(evaluation: Evaluation) -> tuple[Grader, ...]:
    """The graders of a recipe as values."""
    return tuple(parse_grader(dict(grader)) for grader in evaluation.graders)


def graders_sha256(evaluation: Evaluation, judge: str) -> str:
    """Hash of the graders, of how they cut text, and of where models that judge are asked."""
    asks = any(judging_models(grader) for grader in graders_of(evaluation))
    return sha256_of(
        {
            "graders": [dict(grader) for grader in evaluation.graders],
            "tokens": VERSION,
            "judge": judge if asks else None,
        }
    )


def try_graders(graders: Sequence[Grader]) -> None:
    """Raise MissingExtraError now for what would be missing after every question was paid for."""
    for grader in graders:
        for part in (grader, *getattr(grader, "graders", {}).values()):
            if isinstance(part, TextSimilarity):
                similarity(part.evaluation_metric, "a", "a")


def runs_code(graders: Sequence[Grader]) -> bool:
    """Whether any of the graders runs Python."""
    return any(code_graders(grader) for grader in graders)


def judges(graders: Sequence[Grader]) -> bool:
    """Whether any of the graders asks a model."""
    return any(judging_models(grader) for grader in graders)


def judge_request(question: Question) -> ChatRequest:
    """A grader's question as a provider takes it."""
    return ChatRequest(
        model=question.model,
        messages=question.messages,
        temperature=float(question.sampling.get("temperature", 0.0)),
        max_tokens=int(question.sampling.get("max_completions_tokens", MAX_JUDGE_TOKENS)),
        seed=question.sampling.get("seed"),
        beside={name: question.sampling[name] for name in BESIDE if name in question.sampling},
    )


def chat_with(provider: Provider, cache: AnswerCache, told: Callable[[str, Answer], None]) -> Chat:
    """Let graders ask models of a provider, each question only once.

    `told` hears of every reply, with the model; those from the cache too, which cost as much once.
    """

    def chat(question: Question) -> Reply:
        request = judge_request(question)
        reply = cache.get(request)
        if reply is None:
            try:
                completion = provider.complete(request)
            except ProviderError as error:
                raise JudgeUnavailableError(str(error)) from error
            reply = Answer.of(completion)
            cache.put(request, reply)
        told(question.model, reply)
        return Reply(text=reply.text, n_tokens=(reply.prompt_tokens or 0) + (reply.completion_tokens or 0))

    return chat


def score_all(
    graders: Sequence[Grader],
    items: Sequence[Item],
    answers: Sequence[Answer],
    means: Means,
    concurrency: int,
) -> list[Scored]:
    """The scores of all answers in their order."""
    if means.chat is None:
        return [_score(graders, item, answer, means) for item, answer in zip(items, answers, strict=True)]
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        return list(pool.map(lambda item, answer: _score(graders, item, answer, means), items, answers))


def _score(graders: Sequence[Grader], item: Item, answer: Answer, means: Means) -> Scored:
    if answer.failure is not None:
        return Scored(scores={}, failure=answer.failure)
    sample = Sample(output_text=answer.text, output_tools=tuple(answer.tool_calls))
    grades = {grader.name: grade(grader, sample, item.values, means) for grader in graders}
    failed = [f"{name}: {found.details}" for name, found in grades.items() if found.failure is not None]
    return Scored(
        scores={name: found.score for name, found in grades.items() if found.failure is None},
        failure="; ".join(failed) or None,
    )
