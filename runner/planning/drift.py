"""Where a recipe and its inputs differ from what the lockfile says was used, stage by stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.dataset.value import Dataset, InputFile
from runner.errors import StaleLockError
from runner.lock.lockfile import LockedFile, LockedRun
from runner.planning.changes import section_hashes, training_changes
from runner.planning.plan import base_job
from runner.planning.value import Planned

if TYPE_CHECKING:
    from runner.planning.record_drift import RecordDrift


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as locked: the stage it belongs to, its name, and what happened to it.

    `record` is the first record that made it so.
    """

    stage: str
    name: str
    what: str
    record: "RecordDrift | None" = None

    def __str__(self) -> str:
        if self.record is not None:
            return f"{self.stage}: {self.record}"
        return f"{self.stage}: {self.name} {self.what}"


def find_drift(planned: Planned) -> list[Difference]:
    """All differences in the order of the stages: sources, templates, recipe, dataset, job.

    Raises StaleLockError where there is nothing to compare with.
    """
    locked = planned.locked
    if locked is None or locked.job is None:
        loaded = planned.loaded
        raise StaleLockError(
            f"{loaded.lock_file} has no run for the profile '{loaded.run_key}'. "
            f"{loaded.command('run')} makes one."
        )
    return list(_differences(planned, locked))


def refuse_drift(planned: Planned) -> None:
    """Raise StaleLockError naming the first difference and the first record, where there is one."""
    found = find_drift(planned)
    if not found:
        return
    named = [found[0], *(item for item in found[1:] if item.record is not None)]
    more = f" (and {len(found) - len(named)} more)" if len(found) > len(named) else ""
    raise StaleLockError(
        f"{planned.loaded.lock_file} is stale: {'; '.join(map(str, named))}{more}. "
        f"{planned.loaded.command('run')} without --locked brings it up to date."
    )


def _differences(planned: Planned, locked: LockedRun) -> Iterator[Difference]:
    dataset = planned.dataset
    # A job that was imported with other files does not say what these were made from.
    if locked.sections:
        yield from file_differences("source", locked.sources, dataset.sources)
        yield from file_differences("template", locked.templates, dataset.templates)
        now = section_hashes(planned.loaded.recipe)
        for section, digest in now.items():
            if locked.sections.get(section) != digest:
                yield Difference(stage="recipe", name=f"`{section}`", what="changed")
    files = list(_dataset(locked, dataset, planned.changed_examples))
    yield from files
    if files:
        # Only a dataset that changed is read again, down to its first record.
        from runner.planning.record_drift import find_record_drift

        record = find_record_drift(planned, locked)
        yield Difference(stage="dataset", name=record.record, what=record.what, record=record)
    if locked.job is not None:
        for change in training_changes(
            planned.loaded.recipe, locked.job, planned.model_sha256, base_job(planned.base)
        ):
            yield Difference(stage="job", name=change, what="since it was locked")


def file_differences(
    stage: str, before: tuple[InputFile, ...], after: tuple[InputFile, ...]
) -> Iterator[Difference]:
    """The files that are gone, new, or have other bytes."""
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
