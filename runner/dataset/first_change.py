"""The first example that differs between two datasets, and the first thing in it, in bounded memory."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Literal

from runner.dataset.compare import read_rows
from runner.dataset.lines import read_lines

Change = Literal["changed", "added", "removed", "moved", "reordered"]
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a dataset file, counted from 1; `side` is training or validation."""

    side: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstChange:
    """What happened to one example, and the lines it had and has; `identity` is its own in the index."""

    change: Change
    identity: str
    before: Line | None
    after: Line | None


def first_change(before: Path, after: Path) -> FirstChange | None:
    """The first row in which two index files differ; None where they have the same rows. Raises OSError."""
    seen: Counter[str] = Counter()
    for old, new in zip_longest(read_rows(before), read_rows(after)):
        if old == new:
            seen[old[2]] += 1
            continue
        line_before = Line(old[2], seen[old[2]] + 1) if old else None
        line_after = Line(new[2], seen[new[2]] + 1) if new else None
        if old and new and old[0] == new[0]:
            change: Change = "changed" if old[1] != new[1] else "moved"
            return FirstChange(change=change, identity=new[0], before=line_before, after=line_after)
        if new and not _has_row(before, new[0]):
            return FirstChange(change="added", identity=new[0], before=None, after=line_after)
        if old and not _has_row(after, old[0]):
            return FirstChange(change="removed", identity=old[0], before=line_before, after=None)
        if new:
            line_before = _line_of(before, new[0])
            return FirstChange(change="reordered", identity=new[0], before=line_before, after=line_after)
    return None


def first_changed_line(before: Path, after: Path) -> int | None:
    """The first line, counted from 1, in which two dataset files differ. Raises OSError."""
    pairs = enumerate(zip_longest(read_lines(before), read_lines(after)), start=1)
    return next((number for number, (old, new) in pairs if old != new), None)


def identity_at(index: Path, line: Line) -> str | None:
    """The identity of the example in a line of a dataset file. Raises OSError."""
    of_side = (row[0] for row in read_rows(index) if row[2] == line.side)
    return next(islice(of_side, line.number - 1, None), None)


def example_at(path: Path, number: int) -> Any:
    """The example in a line of a dataset file, None where there is none. Raises OSError."""
    line = next(islice(read_lines(path), number - 1, None), None)
    try:
        return json.loads(line) if line else None
    except (ValueError, RecursionError):
        return None


def first_difference(before: Any, after: Any, keys: Keys = ()) -> tuple[Keys, Any, Any] | None:
    """Where two examples first differ, in the order of the earlier one, with both values; None is absent."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = dict.fromkeys([*before, *after])
        inner: Iterator[tuple[str | int, Any, Any]] = (
            (name, before.get(name), after.get(name)) for name in names
        )
    elif isinstance(before, list) and isinstance(after, list):
        inner = ((number, *pair) for number, pair in enumerate(zip_longest(before, after)))
    else:
        return None if before == after else (keys, before, after)
    found = (first_difference(old, new, (*keys, key)) for key, old, new in inner)
    return next((difference for difference in found if difference), None)


def _has_row(index: Path, identity: str) -> bool:
    return any(row[0] == identity for row in read_rows(index))


def _line_of(index: Path, identity: str) -> Line | None:
    seen: Counter[str] = Counter()
    for found, _, side in read_rows(index):
        seen[side] += 1
        if found == identity:
            return Line(side, seen[side])
    return None
