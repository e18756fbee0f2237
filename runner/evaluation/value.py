"""An evaluation as a value: what was asked, what came of it, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from runner.canonical import canonical_json, sha256_bytes
from runner.evaluation.comparison import Comparison, Slice
from runner.evaluation.cost import BreakEven
from runner.evaluation.leaks import Leak
from runner.evaluation.statistics import Interval
from runner.examples.read import Message
from runner.issues import Place
from runner.lock.evaluation import LockedCandidate, LockedEvaluation, LockedScore
from runner.recipe.model import MAX_ANSWER_TOKENS

# Digits that the lockfile keeps of a score.
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The set that was asked; `overlap` is the share of its answers' text that stands in training answers."""

    on: str
    sha256: str
    n: int
    left_out: tuple[Leak, ...] = ()
    overlap: float | None = None
    leaks_checked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one candidate came to. Latency and tokens are of the answers that came; `usd` None is unknown.

    What models that judge its answers took is counted apart; 0 tokens where none is asked.
    """

    name: str
    provider: str
    model: str | None
    scores: Mapping[str, Interval]
    failures: int
    failure: str | None
    cut: int
    p50_s: float | None
    p95_s: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    usd: float | None
    judge_tokens: int | None = 0
    judge_usd: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question with what every candidate answered; one grader may fail and others score."""

    identity: str
    place: Place
    prompt: tuple[Message, ...]
    reference: str
    answers: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """Whether the gate let the model pass, and the sentence that says why."""

    passed: bool
    metric: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything an evaluation says; `subject` is the candidate that the others are compared with.

    `gate_metric` is of the recipe's gate, empty where it has none, also where that gate decided nothing.
    """

    recipe: str
    profile: str
    subject: str
    questions: Questions
    graders: tuple[str, ...]
    graders_sha256: str
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...]
    rows: tuple[Row, ...]
    slices: tuple[Slice, ...] = ()
    notes: tuple[str, ...] = ()
    gate_metric: str = ""
    gate: GateResult | None = None
    break_even: tuple[BreakEven, ...] = field(default=())
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    max_tokens: int = MAX_ANSWER_TOKENS

    @property
    def deciding_grader(self) -> str:
        """The grader that wins, losses and slices are told by: the gate's, else the first of the recipe."""
        return self.gate_metric or next(iter(self.graders), "")

    def result(self, name: str) -> Result | None:
        """The result of a candidate."""
        return next((result for result in self.results if result.name == name), None)

    @cached_property
    def answers_file(self) -> bytes:
        """Every answer and score, a question on a line; nothing in it depends on time or machine."""
        return b"".join(
            canonical_json(
                {
                    "identity": row.identity,
                    "answers": dict(row.answers),
                    "scores": {name: dict(scores) for name, scores in row.scores.items()},
                    "failures": dict(row.failures),
                }
            )
            + b"\n"
            for row in self.rows
        )

    def locked(self) -> LockedEvaluation:
        """What the lockfile keeps of it."""
        return LockedEvaluation(
            questions=self.questions.sha256,
            n_questions=self.questions.n,
            left_out=len(self.questions.left_out),
            graders=self.graders_sha256,
            answers=sha256_bytes(self.answers_file),
            candidates={result.name: _locked_candidate(result) for result in self.results},
            settings=self.settings,
            max_tokens=self.max_tokens,
        )


def _locked_candidate(result: Result) -> LockedCandidate:
    return LockedCandidate(
        failures=result.failures,
        model=result.model,
        provider=result.provider or None,
        scores={
            name: LockedScore(
                mean=round(score.mean, DIGITS),
                low=round(score.low, DIGITS),
                high=round(score.high, DIGITS),
                n=score.n,
            )
            for name, score in result.scores.items()
        },
    )
