"""What the lockfile keeps of an evaluation: enough to tell later whether a model became worse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.recipe.model import MAX_ANSWER_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedScore:
    """The mean score of a grader with its 95 % interval, over `n` answers."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedCandidate:
    """What was asked, how many of its answers failed, and its scores by grader."""

    failures: int
    model: str | None = None
    provider: str | None = None
    scores: Mapping[str, LockedScore] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedEvaluation:
    """An evaluation; two of them compare only with equal questions, graders and `max_tokens`.

    `answers` is the hash of all answers and scores, which lie in the state folder of the machine that asked.
    `settings` are those of the graders by name, for people to read; `graders` is what is compared.
    """

    questions: str
    n_questions: int
    left_out: int
    graders: str
    answers: str
    candidates: Mapping[str, LockedCandidate]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    max_tokens: int = MAX_ANSWER_TOKENS


def parse_evaluation(value: dict[str, Any]) -> LockedEvaluation:
    """The evaluation that stands in a lockfile."""
    return LockedEvaluation(
        questions=value["questions"]["sha256"],
        n_questions=value["questions"]["asked"],
        left_out=value["questions"]["left_out"],
        graders=value["graders"],
        answers=value["answers"],
        candidates={name: _candidate(item) for name, item in value["candidates"].items()},
        settings=value.get("settings", {}),
        max_tokens=value["questions"].get("max_tokens", MAX_ANSWER_TOKENS),
    )


def evaluation_value(evaluation: LockedEvaluation) -> dict[str, Any]:
    """An evaluation as it stands in a lockfile."""
    settings = {"settings": dict(evaluation.settings)} if evaluation.settings else {}
    is_usual = evaluation.max_tokens == MAX_ANSWER_TOKENS
    return {
        **settings,
        "answers": evaluation.answers,
        "candidates": {name: _candidate_value(item) for name, item in evaluation.candidates.items()},
        "graders": evaluation.graders,
        "questions": {
            "asked": evaluation.n_questions,
            "left_out": evaluation.left_out,
            **({} if is_usual else {"max_tokens": evaluation.max_tokens}),
            "sha256": evaluation.questions,
        },
    }


def _candidate(value: dict[str, Any]) -> LockedCandidate:
    return LockedCandidate(
        failures=value["failures"],
        model=value.get("model"),
        provider=value.get("provider"),
        scores={name: LockedScore(**score) for name, score in value["scores"].items()},
    )


def _candidate_value(candidate: LockedCandidate) -> dict[str, Any]:
    named = {"model": candidate.model, "provider": candidate.provider}
    return {
        **{name: item for name, item in named.items() if item is not None},
        "failures": candidate.failures,
        "scores": {
            name: {"high": score.high, "low": score.low, "mean": score.mean, "n": score.n}
            for name, score in candidate.scores.items()
        },
    }
