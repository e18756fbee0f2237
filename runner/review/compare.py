"""Two states to a review: a pure comparison of values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.dataset.value import Finding, InputFile
from runner.issues import Issue
from runner.lock.lockfile import LockedRun
from runner.recipe.model import Recipe
from runner.review.settings import locked_settings, recipe_as_locked, recipe_settings, setting_changes
from runner.review.value import CheckChange, ExampleChanges, FileChange, Review, Settings, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a state was read from: a recipe, a lockfile's run, or nothing where there is none."""

    recipe: Recipe | None = None
    run: LockedRun | None = None


def compare_states(
    before: State, after: State, examples: ExampleChanges | None, *, name: str, profile: str
) -> Review:
    """Everything that differs between two states."""
    old, new = set(map(_problem, before.problems)), set(map(_problem, after.problems))
    return Review(
        name=name,
        profile=profile,
        before=before,
        after=after,
        changes=setting_changes(before.settings, after.settings),
        files=_file_changes(before.files, after.files),
        examples=examples,
        checks=_check_changes(before.findings, after.findings),
        problems_gained=tuple(issue for issue in after.problems if _problem(issue) not in old),
        problems_lost=tuple(issue for issue in before.problems if _problem(issue) not in new),
    )


def settings_of(before: Subject, after: Subject) -> tuple[Settings, Settings]:
    """The settings of both, in as much detail as both have."""
    if before.run is None and after.run is None:
        return _whole(before), _whole(after)
    both_locked = before.run is not None and after.run is not None
    return _as_locked(before, recorded=both_locked), _as_locked(after, recorded=both_locked)


def locked_state(label: str, run: LockedRun) -> State:
    """What a lockfile says of a run; its findings and price are not in there."""
    return State(
        label=label,
        files={file.name: file for file in (*run.sources, *run.templates)},
        training_file=run.training_file.file,
        validation_file=run.validation_file.file if run.validation_file else None,
        n_records=run.n_records,
    )


def with_settings(before: State, after: State, settings: tuple[Settings, Settings]) -> tuple[State, State]:
    """The states with the settings of both."""
    return replace(before, settings=settings[0]), replace(after, settings=settings[1])


def _whole(subject: Subject) -> Settings:
    return recipe_settings(subject.recipe) if subject.recipe else Settings()


def _as_locked(subject: Subject, *, recorded: bool) -> Settings:
    if subject.run is not None:
        return locked_settings(subject.run, recorded=recorded)
    return recipe_as_locked(subject.recipe) if subject.recipe else Settings()


def _file_changes(before: Mapping[str, InputFile], after: Mapping[str, InputFile]) -> tuple[FileChange, ...]:
    pairs = ((before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys()))
    return tuple(FileChange(before=old, after=new) for old, new in pairs if old != new)


def _check_changes(
    before: Iterable[Finding] | None, after: Iterable[Finding] | None
) -> tuple[CheckChange, ...]:
    if before is None or after is None:
        return ()
    old, new = ({finding.code: finding for finding in findings} for findings in (before, after))
    return tuple(
        CheckChange(before=old.get(code), after=new.get(code))
        for code in sorted(old.keys() | new.keys())
        if _count(old.get(code)) != _count(new.get(code))
    )


def _count(finding: Finding | None) -> int:
    return finding.count if finding else 0


def _problem(issue: Issue) -> tuple[str, str]:
    """What makes a problem the same although rows were added above it."""
    return issue.place.file, issue.message
