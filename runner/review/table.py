"""The conversations of two states in a file instead of memory, however many there are."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runner.dataset.split import Side
from runner.dataset.write import training_line
from runner.examples.read import Example
from runner.examples.wire import decode_item, encode_item
from runner.issues import Issue
from runner.review.value import ExampleChange, ExampleChanges

BEFORE, AFTER = "before", "after"
_TABLES = (BEFORE, AFTER)
_ROWS_AT_ONCE = 1_000
_SIDES: tuple[Side, Side] = ("training", "validation")

# What is asked of both tables: which rows, from which of them, in which order.
_CHANGED = "FROM after JOIN before USING (identity) WHERE after.digest <> before.digest"
_MOVED = "FROM after JOIN before USING (identity) WHERE after.side <> before.side"
_ADDED = "FROM after LEFT JOIN before USING (identity) WHERE before.identity IS NULL"
_REMOVED = "FROM before LEFT JOIN after USING (identity) WHERE after.identity IS NULL"
_BOTH = "before.item, before.side, after.item, after.side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A conversation as it is compared. One from a locked run has its line and a hash instead of a key."""

    example: Example
    side: Side
    line: bytes | None = None
    key_digest: bytes | None = None

    def is_like(self, other: "Row") -> bool:
        """Whether it is the same conversation of the same record on the same side of the split."""
        mine, yours = self.example, other.example
        if self.side != other.side:
            return False
        if self.key_digest is None and other.key_digest is None:
            return (mine.key, mine.variant, mine.messages) == (yours.key, yours.variant, yours.messages)
        return (self.identity, self.digest) == (other.identity, other.digest)

    @property
    def identity(self) -> bytes:
        """What tells the record and variant from all others: the hash that an index of a build has."""
        if self.key_digest is not None:
            return self.key_digest
        return hashlib.sha256(f"{self.example.key}\0{self.example.variant}".encode()).digest()[:16]

    @property
    def digest(self) -> bytes:
        """What tells the conversation from all others."""
        line = self.line if self.line is not None else training_line(self.example.messages)
        return hashlib.sha256(line).digest()[:16]


class ExampleTable:
    """Two tables of identity, digest, side and text, kept in one temporary file."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
        for name in _TABLES:
            self.connection.execute(
                f"CREATE TABLE {name} (position INTEGER PRIMARY KEY, identity BLOB, digest BLOB, "
                "side INTEGER, item BLOB)"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def add(self, name: str, row: Row) -> None:
        """Append a row to one table; what both have in the same place may be left out of both."""
        waiting = self.waiting[name]
        waiting.append((row.identity, row.digest, _SIDES.index(row.side), encode_item(row.example)))
        if len(waiting) >= _ROWS_AT_ONCE:
            self._flush(name)

    def changes(self, limit: int) -> ExampleChanges:
        """What differs between the tables, with the first `limit` of each kind."""
        for name in _TABLES:
            self._flush(name)
            self.connection.execute(f"CREATE INDEX {name}_by_identity ON {name} (identity, digest, side)")
        found = ExampleChanges(
            n_changed=self._count(_CHANGED),
            n_added=self._count(_ADDED),
            n_removed=self._count(_REMOVED),
            n_moved=self._count(_MOVED),
            changed=self._first(_CHANGED, "after", limit),
            added=self._first(_ADDED, "after", limit),
            removed=self._first(_REMOVED, "before", limit),
            moved=self._first(_MOVED, "after", limit),
        )
        return found or ExampleChanges(reordered=self._is_reordered())

    def _flush(self, name: str) -> None:
        statement = f"INSERT INTO {name} (identity, digest, side, item) VALUES (?, ?, ?, ?)"  # noqa: S608
        self.connection.executemany(statement, self.waiting[name])
        self.waiting[name].clear()

    def _count(self, rows: str) -> int:
        count: int = self.connection.execute(f"SELECT count(*) {rows}").fetchone()[0]  # noqa: S608
        return count

    def _first(self, rows: str, order: str, limit: int) -> tuple[ExampleChange, ...]:
        statement = f"SELECT {_BOTH} {rows} ORDER BY {order}.position LIMIT ?"  # noqa: S608
        return tuple(_change(row) for row in self.connection.execute(statement, (limit,)))

    def _is_reordered(self) -> bool:
        statement = "SELECT 1 FROM before JOIN after USING (position) WHERE before.identity <> after.identity"
        return self.connection.execute(f"{statement} LIMIT 1").fetchone() is not None


def _change(row: tuple[Any, ...]) -> ExampleChange:
    before, side_before, after, side_after = row
    return ExampleChange(
        before=_example(before),
        after=_example(after),
        side_before=None if side_before is None else _SIDES[side_before],
        side_after=None if side_after is None else _SIDES[side_after],
    )


def _example(item: bytes | None) -> Example | None:
    decoded = None if item is None else decode_item(item)
    if isinstance(decoded, Issue):
        raise AssertionError("BUG: an issue in the table of examples")
    return decoded
