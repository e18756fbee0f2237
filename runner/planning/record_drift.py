"""Names the first record whose example is not as it was locked, and what in it is not."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.canonical import sha256_file
from runner.dataset.first_change import (
    FirstChange,
    Keys,
    Line,
    example_at,
    first_change,
    first_changed_line,
    first_difference,
    identity_at,
)
from runner.dataset.index import LEFT_OUT, identity_of
from runner.dataset.value import DatasetFile
from runner.display import one_line
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.lock.lockfile import LockedRun
from runner.planning.value import Planned

# How much of a text is shown, and how much of what both texts have before they part.
SHOWN_CHARACTERS, COMMON_CHARACTERS = 60, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDrift:
    """The record that differs, as far as it can be named, and what happened to it.

    `field` is the part of its example that differs, with its value `before` and `after`.
    """

    record: str
    what: str
    field: str | None = None
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        if self.field is None:
            return f"{self.record}: {self.what}"
        return f"{self.record}: {self.field}: {_quoted(self.before)} → {_quoted(self.after)}"


def find_record_drift(planned: Planned, locked: LockedRun) -> RecordDrift:
    """The first record that is not as locked; says so where nothing of the locked dataset is here."""
    dataset = planned.dataset
    index = dataset.folder / f"{locked.index}.index"
    if locked.index and _is_intact(index, locked.index):
        found = first_change(index, dataset.index_path)
        if found is not None:
            return _named(planned, locked, found)
    by_line = _first_line(planned, locked)
    if by_line is not None:
        return by_line
    diff = planned.loaded.command("diff")
    return RecordDrift(
        record="no record can be named",
        what=f"the locked dataset is not on this machine. {diff} compares with the last commit.",
    )


def _first_line(planned: Planned, locked: LockedRun) -> RecordDrift | None:
    """The first line that differs from a locked dataset file that is here, although its index is not."""
    dataset = planned.dataset
    pairs = (
        ("training", locked.training_file, dataset.training_file),
        ("validation", locked.validation_file, dataset.validation_file),
    )
    for side, before, after in pairs:
        if before is None or after is None or before.file.sha256 == after.sha256:
            continue
        path = dataset.path_of(before.file)
        number = first_changed_line(path, dataset.path_of(after)) if _is_ours(path, before.file) else None
        if number is not None:
            line = Line(side, number)
            identity = identity_at(dataset.index_path, line) or ""
            found = FirstChange(change="changed", identity=identity, before=line, after=line)
            return _named(planned, locked, found if identity else replace(found, change="removed"))
    return None


def _named(planned: Planned, locked: LockedRun, found: FirstChange) -> RecordDrift:
    record = _record(planned, found)
    before, after = _example_before(planned, locked, found.before), _example_after(planned, found.after)
    if found.change == "added":
        return RecordDrift(record=record, what="is new")
    if found.change == "removed":
        return RecordDrift(record=record, what=f"is gone{_opening(before)}")
    if found.after is not None and found.after.side == LEFT_OUT:
        return RecordDrift(
            record=record, what="nearly repeats a training record, so validation leaves it out"
        )
    if found.before is not None and found.before.side == LEFT_OUT:
        return RecordDrift(record=record, what="no longer repeats a training record, so validation has it")
    if found.change == "changed":
        difference = _difference(before, after)
        if difference is None:
            return RecordDrift(record=record, what="has another text; the one before is not on this machine")
        keys, old, new = difference
        shown_before, shown_after = _excerpts(old, new)
        field = _field(keys, after, before)
        return RecordDrift(record=record, what="changed", field=field, before=shown_before, after=shown_after)
    places = f"line {_place(found.after)}, was line {_place(found.before)}"
    moved = "is on the other side of the split" if found.change == "moved" else "stands elsewhere"
    return RecordDrift(record=record, what=f"{moved}: {places}")


def _difference(before: Any, after: Any) -> tuple[Keys, Any, Any] | None:
    if before is None or after is None:
        return None
    try:
        return first_difference(before, after)
    except RecursionError:
        # A file of another program may nest its values as deeply as it likes.
        return None


def _record(planned: Planned, found: FirstChange) -> str:
    """A record by its key, file and row; by its line where it is gone, and with it the key."""
    if found.after is None or not found.identity:
        return f"the record of line {_place(found.before)}" if found.before else "a record"
    example = _example_of(planned, found.identity)
    if example is None:
        return f"the record of line {_place(found.after)}"
    name = planned.loaded.recipe.key
    key = f" {name}={one_line(example.key, limit=SHOWN_CHARACTERS)}" if name else ""
    variant = f", template {one_line(example.variant)}" if example.variant else ""
    return f"record{key} ({example.file}, row {example.row}{variant})"


def _example_of(planned: Planned, identity: str) -> Example | None:
    loaded = planned.loaded
    for item in read_confined(loaded.recipe, loaded.folder, loaded.project):
        if not isinstance(item, Issue) and identity_of(item) == identity:
            return item
    return None


def _example_before(planned: Planned, locked: LockedRun, line: Line | None) -> Any:
    file = locked.training_file if line and line.side == "training" else locked.validation_file
    if line is None or file is None or line.side == LEFT_OUT:
        return None
    path = planned.dataset.path_of(file.file)
    return example_at(path, line.number) if _is_ours(path, file.file) else None


def _example_after(planned: Planned, line: Line | None) -> Any:
    dataset = planned.dataset
    file = dataset.training_file if line and line.side == "training" else dataset.validation_file
    is_there = line is not None and line.side != LEFT_OUT
    return example_at(dataset.path_of(file), line.number) if line and file and is_there else None


def _is_ours(path: Path, file: DatasetFile) -> bool:
    return _is_intact(path, file.sha256)


def _is_intact(path: Path, digest: str) -> bool:
    """Whether a file is here and still what it was named for."""
    try:
        return sha256_file(path) == digest
    except OSError:
        return False


def _place(line: Line | None) -> str:
    return f"{line.number} of the {line.side} file" if line else "none"


def _field(keys: Keys, *examples: Any) -> str:
    """A part of an example as people say it, such as `message 3 (assistant)`."""
    if len(keys) >= 2 and keys[0] == "messages" and isinstance(keys[1], int):
        number = keys[1]
        roles = (_at(example, ("messages", number, "role")) for example in examples)
        role = next((role for role in roles if isinstance(role, str)), None)
        name = f"message {number + 1}" + (f" ({one_line(role)})" if role else "")
        rest = keys[2:]
        return name if rest in ((), ("content",)) else f"{name}, {_path(rest)}"
    return _path(keys)


def _path(keys: Keys) -> str:
    parts = (f"[{key}]" if isinstance(key, int) else f".{one_line(key)}" for key in keys)
    return "".join(parts).lstrip(".") or "the whole example"


def _at(value: Any, keys: Keys) -> Any:
    for key in keys:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value


def _excerpts(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Both values, cut to where texts begin to differ."""
    old, new = (_text(value) for value in (before, after))
    if old is None or new is None:
        return _cut(old, 0), _cut(new, 0)
    common = next(
        (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    start = max(0, common - COMMON_CHARACTERS)
    # A beginning that is nearly shown is shown.
    start = 0 if start <= COMMON_CHARACTERS else start
    return _cut(old, start), _cut(new, start)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("content"), str):
        return str(value["content"])
    return str(value)


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    return ("…" if start else "") + one_line(
        text[start : start + 2 * SHOWN_CHARACTERS], limit=SHOWN_CHARACTERS
    )


def _quoted(text: str | None) -> str:
    return "none" if text is None else f'"{text}"'


def _opening(example: Any) -> str:
    """How the conversation of a record begins that nobody can name any more."""
    content = _at(example, ("messages", 0, "content"))
    role = _at(example, ("messages", 0, "role"))
    if not isinstance(content, str) or not isinstance(role, str):
        return ""
    return f"; it began with {one_line(role)}: {_quoted(_cut(content, 0))}"
