"""Where a recipe and its inputs differ from what the lockfile says was used, stage by stage."""

from collections.abc import Iterator
from dataclasses import dataclass

from runner.dataset.value import Dataset, InputFile
from runner.errors import StaleLockError
from runner.lockfile import LockedFile, LockedRun
from runner.plan import Planned, base_job, section_hashes, training_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as locked: the stage it belongs to, its name, and what happened to it."""

    stage: str
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.name} {self.what}"


def find_drift(planned: Planned) -> list[Difference]:
    """All differences in the order of the stages: sources, templates, recipe, dataset, job.

    Raises StaleLockError where there is nothing to compare with.
    """
    locked = planned.locked
    if locked is None or locked.job is None:
        loaded = planned.loaded
        raise StaleLockError(
            f"{loaded.lock_path.name} has no run for the profile '{loaded.run_key}'. "
            f"{loaded.command('run')} makes one."
        )
    return list(_differences(planned, locked))


def refuse_drift(planned: Planned) -> None:
    """Raise StaleLockError naming the first difference, where there is one."""
    found = find_drift(planned)
    if not found:
        return
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise StaleLockError(
        f"{planned.loaded.lock_path.name} is stale: {found[0]}{more}. "
        f"{planned.loaded.command('run')} without --locked brings it up to date."
    )


def _differences(planned: Planned, locked: LockedRun) -> Iterator[Difference]:
    dataset = planned.dataset
    yield from _files("source", locked.sources, dataset.sources)
    yield from _files("template", locked.templates, dataset.templates)
    now = section_hashes(planned.loaded.recipe)
    for section, digest in now.items():
        if locked.sections.get(section) != digest:
            yield Difference(stage="recipe", name=f"`{section}`", what="changed")
    yield from _dataset(locked, dataset, planned.changed_examples)
    if locked.job is not None:
        for change in training_changes(
            planned.loaded.recipe, locked.job, planned.model_sha256, base_job(planned.base)
        ):
            yield Difference(stage="job", name=change, what="since it was locked")


def _files(stage: str, before: tuple[InputFile, ...], after: tuple[InputFile, ...]) -> Iterator[Difference]:
    old = {file.name: file.sha256 for file in before}
    new = {file.name: file.sha256 for file in after}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Difference(stage=stage, name=name, what="is gone")
        elif name not in old:
            yield Difference(stage=stage, name=name, what="is new")
        elif old[name] != new[name]:
            yield Difference(stage=stage, name=name, what="has other bytes")


def _dataset(locked: LockedRun, dataset: Dataset, changed: str | None) -> Iterator[Difference]:
    pairs = (
        ("training_file", locked.training_file, dataset.training_file),
        ("validation_file", locked.validation_file, dataset.validation_file),
    )
    for name, before, after in pairs:
        old = before.file.sha256 if isinstance(before, LockedFile) else None
        new = after.sha256 if after else None
        if old != new:
            detail = f" ({changed})" if changed else ""
            yield Difference(stage="dataset", name=name, what=f"has other bytes{detail}")
