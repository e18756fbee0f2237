"""Sets two evaluations from lockfiles side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import RunnerError
from runner.evaluation.candidates import TUNED
from runner.evaluation.comparison import Comparison, compare
from runner.evaluation.past import Past, not_comparable, read_past, unpaired_difference
from runner.hints import did_you_mean
from runner.lock.evaluation import LockedCandidate
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator
from runner.project import find_project
from runner.recipe.load import load_recipe
from runner.review.settings import locked_settings, setting_changes
from runner.review.value import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: a run of a lockfile with its evaluation."""

    name: str
    run: LockedRun
    past: Past
    tuned: LockedCandidate


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Two locked evaluations; `reason` says why their scores do not compare, where they do not.

    `is_paired` tells comparisons question by question from those of means alone, whose wins are not known.
    """

    one: Side
    other: Side
    changes: tuple[Change, ...]
    comparisons: tuple[Comparison, ...] = ()
    is_paired: bool = True
    reason: str | None = None


def compare_locked(first: str, second: str, operator: Operator) -> SideBySide:
    """Compare the evaluations in two lockfiles; a subject is `PATH` or `PATH@PROFILE`. Raises RunnerError."""
    one, other = _side(first, operator), _side(second, operator)
    changes = setting_changes(
        locked_settings(one.run, recorded=True), locked_settings(other.run, recorded=True)
    )
    reason = not_comparable(one.past.locked, other.past.locked)
    if reason is not None:
        return SideBySide(one=one, other=other, changes=changes, reason=reason)
    is_paired = one.past.scores is not None and other.past.scores is not None
    return SideBySide(
        one=one,
        other=other,
        changes=changes,
        comparisons=tuple(_comparisons(one, other)),
        is_paired=is_paired,
    )


def is_lock_or_recipe(subject: str) -> bool:
    """Whether a subject names a file and not a model."""
    return subject.partition("@")[0].endswith((".yaml", ".yml"))


def _side(subject: str, operator: Operator) -> Side:
    name, _, profile = subject.partition("@")
    path, key = Path(name), profile or operator.profile
    if not path.exists():
        raise RunnerError(f"{name}: not found. Name a recipe or its lockfile.")
    lock = path if name.endswith(".lock.yaml") else load_recipe(path, "default").lock_path
    runs = read_lockfile(lock).runs
    project = find_project(path)
    file = project.name_of(lock)
    if key not in runs:
        advice = did_you_mean(key, runs) or f"`finetune run {name.replace('.lock.yaml', '.yaml')}` makes one."
        raise RunnerError(f"{file} has no run '{key}'. {advice}")
    evaluation = runs[key].evaluation
    tuned = evaluation.candidates.get(TUNED) if evaluation else None
    if evaluation is None or tuned is None:
        raise RunnerError(
            f"{file} has no evaluation of the run '{key}'. `finetune eval` makes one, and locks it "
            "where the gate passes; --bless locks it all the same."
        )
    folder = project.state / "evaluation" / "answers"
    return Side(name=subject, run=runs[key], past=read_past(evaluation, folder), tuned=tuned)


def _comparisons(one: Side, other: Side) -> Iterator[Comparison]:
    for grader in one.tuned.scores:
        if one.past.scores is not None and other.past.scores is not None:
            theirs = {name: scores.get(TUNED, {}) for name, scores in other.past.scores.items()}
            pairs = [
                (scores[TUNED][grader], theirs[name][grader])
                for name, scores in one.past.scores.items()
                if grader in scores.get(TUNED, {}) and grader in theirs.get(name, {})
            ]
            yield compare(grader, one.name, other.name, pairs)
        elif grader in other.tuned.scores:
            known = compare(grader, one.name, other.name, [])
            difference = unpaired_difference(one.tuned.scores[grader], other.tuned.scores[grader])
            yield replace(known, difference=difference)
