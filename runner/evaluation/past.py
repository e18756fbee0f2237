"""An evaluation that was locked before, and how a new one stands to it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_bytes, write_atomically
from runner.evaluation.comparison import Comparison, compare
from runner.evaluation.statistics import Interval
from runner.evaluation.value import Evaluation
from runner.lock.evaluation import LockedEvaluation, LockedScore

Scores = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A locked evaluation; `scores` by question, candidate and grader are None on another machine."""

    locked: LockedEvaluation
    scores: Scores | None = None


def read_past(locked: LockedEvaluation, folder: Path) -> Past:
    """A locked evaluation with its answers, where they lie in `folder` unchanged."""
    try:
        content = (folder / f"{locked.answers}.jsonl").read_bytes()
    except OSError:
        return Past(locked=locked)
    if sha256_bytes(content) != locked.answers:
        return Past(locked=locked)
    rows = [json.loads(line) for line in content.splitlines()]
    return Past(locked=locked, scores={row["identity"]: row["scores"] for row in rows})


def keep_answers(evaluation: Evaluation, folder: Path) -> Path:
    """Write all answers to a file that is named by its hash."""
    path = folder / f"{sha256_bytes(evaluation.answers_file)}.jsonl"
    if not path.exists():
        write_atomically(path, evaluation.answers_file)
    return path


def not_comparable(one: LockedEvaluation, other: LockedEvaluation) -> str | None:
    """Why two evaluations cannot be compared; None where they can."""
    if one.questions != other.questions:
        counts = (
            "" if one.n_questions == other.n_questions else f", {one.n_questions} and {other.n_questions}"
        )
        return (
            f"they asked different questions (hashes {one.questions[:12]} and {other.questions[:12]}{counts})"
        )
    if one.graders != other.graders:
        return f"their graders differ (hashes {one.graders[:12]} and {other.graders[:12]})"
    if one.max_tokens != other.max_tokens:
        return f"their answers were cut off at {one.max_tokens} and {other.max_tokens} tokens"
    return None


def compare_with_past(
    evaluation: Evaluation, candidate: str, past: Past, grader: str, past_candidate: str = "tuned"
) -> Comparison | None:
    """A candidate of today against one of the past, question by question; None without its answers."""
    if past.scores is None:
        return None
    pairs = []
    for row in evaluation.rows:
        new = row.scores.get(candidate, {}).get(grader)
        old = past.scores.get(row.identity, {}).get(past_candidate, {}).get(grader)
        if new is not None and old is not None:
            pairs.append((new, old))
    return compare(grader, candidate, "locked", pairs)


def unpaired_difference(one: LockedScore | Interval, other: LockedScore | Interval) -> Interval:
    """The difference of two means of which only the intervals are known, each side of them for itself.

    Wider than the paired interval of the same answers, as it has to be, and never beyond what the scores can
    differ by. Newcombe's method 10, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    mean = one.mean - other.mean
    below = math.hypot(one.mean - one.low, other.high - other.mean)
    above = math.hypot(one.high - one.mean, other.mean - other.low)
    return Interval(mean=mean, low=mean - below, high=mean + above, n=min(one.n, other.n))
