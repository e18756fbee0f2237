"""What differs between two indexes, found on disk instead of in memory, however long they are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from runner.dataset.split import Side
from runner.review.indexed import Indexed, is_left_out, row_of

_ROWS_AT_ONCE = 1_000
_SIDES: tuple[Side, Side] = ("training", "validation")

# What is asked of both tables: which rows, from which of them, in which order.
_CHANGED = "FROM after JOIN before USING (identity) WHERE after.digest <> before.digest"
_MOVED = "FROM after JOIN before USING (identity) WHERE after.side <> before.side"
_ADDED = "FROM after LEFT JOIN before USING (identity) WHERE before.identity IS NULL"
_REMOVED = "FROM before LEFT JOIN after USING (identity) WHERE after.identity IS NULL"
_BOTH = "before.position, before.side, after.position, after.side"


@dataclass(frozen=True, slots=True)
class Pair:
    """Where one conversation stands in both indexes, and on which side of the split; None where it is not."""

    before: int | None
    side_before: Side | None
    after: int | None
    side_after: Side | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How many conversations differ, and where the first few of each kind stand."""

    n_changed: int
    n_added: int
    n_removed: int
    n_moved: int
    reordered: bool
    changed: tuple[Pair, ...]
    added: tuple[Pair, ...]
    removed: tuple[Pair, ...]
    moved: tuple[Pair, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All that are shown."""
        return (*self.changed, *self.added, *self.removed, *self.moved)


def compare_indexes(before: Indexed | None, after: Indexed | None, path: Path, limit: int) -> Differences:
    """Compare two datasets by their indexes; `path` takes a temporary file, `limit` bounds each kind."""
    with closing(sqlite3.connect(path)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            connection.execute(f"PRAGMA {pragma}")
        _fill(connection, before, after)
        return _differences(connection, limit)


def _fill(connection: sqlite3.Connection, before: Indexed | None, after: Indexed | None) -> None:
    """Put the rows into two tables, but for those that both have in the same place."""
    for name in ("before", "after"):
        connection.execute(
            f"CREATE TABLE {name} (position INTEGER PRIMARY KEY, identity BLOB, digest BLOB, side INTEGER)"
        )
    waiting: dict[str, list[tuple[int, bytes, bytes, int]]] = {"before": [], "after": []}
    sides = ((side.lines() if side else iter(())) for side in (before, after))
    for position, lines in enumerate(zip_longest(*sides)):
        if lines[0] == lines[1]:
            continue
        for (name, table), line in zip(waiting.items(), lines, strict=True):
            if line is not None and not is_left_out(line):
                row = row_of(line)
                table.append((position, row.identity, row.digest, _SIDES.index(row.side)))
            if len(table) >= _ROWS_AT_ONCE:
                _flush(connection, name, table)
    for name, table in waiting.items():
        _flush(connection, name, table)
        connection.execute(f"CREATE INDEX {name}_by_identity ON {name} (identity, digest, side)")


def _flush(connection: sqlite3.Connection, name: str, rows: list[tuple[int, bytes, bytes, int]]) -> None:
    connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", rows)  # noqa: S608
    rows.clear()


def _differences(connection: sqlite3.Connection, limit: int) -> Differences:
    def count(rows: str) -> int:
        number: int = connection.execute(f"SELECT count(*) {rows}").fetchone()[0]  # noqa: S608
        return number

    def first(rows: str, order: str = "after") -> tuple[Pair, ...]:
        statement = f"SELECT {_BOTH} {rows} ORDER BY {order}.position LIMIT ?"  # noqa: S608
        return tuple(_pairs(connection.execute(statement, (limit,))))

    counts = {"changed": count(_CHANGED), "added": count(_ADDED), "removed": count(_REMOVED)}
    counts["moved"] = count(_MOVED)
    return Differences(
        **{f"n_{name}": number for name, number in counts.items()},
        reordered=not any(counts.values()) and _is_reordered(connection),
        changed=first(_CHANGED),
        added=first(_ADDED),
        removed=first(_REMOVED, "before"),
        moved=first(_MOVED),
    )


def _pairs(rows: Iterator[tuple[int | None, ...]]) -> Iterator[Pair]:
    for before, side_before, after, side_after in rows:
        yield Pair(
            before,
            None if side_before is None else _SIDES[side_before],
            after,
            None if side_after is None else _SIDES[side_after],
        )


def _is_reordered(connection: sqlite3.Connection) -> bool:
    statement = "SELECT 1 FROM before JOIN after USING (position) WHERE before.identity <> after.identity"
    return connection.execute(f"{statement} LIMIT 1").fetchone() is not None
