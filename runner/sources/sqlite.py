"""SQLite databases, opened so that nothing but reading this one file is possible: a table, or one query."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from runner.display import one_line, shown
from runner.hints import listed, nearest
from runner.issues import Issue, Place
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.base import Record, unusable
from runner.sources.strict_json import surrogate_problems
from runner.sources.values import records_of

OPTIONS = frozenset({"table", "query"})
PACKAGE = "sqlite3"

# Steps of SQLite's virtual machine from one row to the next: a few minutes.
MAX_STEPS = 5_000_000_000
STEPS_PER_CALL = 1_000_000
COUNTED_ROWS = 100_000
MAX_VALUE_BYTES = 1 << 24
MAX_HEAP_BYTES = 512 << 20

# https://www.sqlite.org/fileformat2.html#the_database_header (2026-11)
_MAGIC = b"SQLite format 3\x00"
# Functions whose result follows from their arguments alone: no clock, no randomness, no files.
# https://www.sqlite.org/lang_corefunc.html, lang_aggfunc.html, windowfunctions.html, json1.html (2026-11)
_NAMES = """
    abs avg ceil ceiling char coalesce concat concat_ws count cume_dist dense_rank first_value floor format
    glob group_concat hex ifnull iif instr json json_array json_array_length json_each json_extract
    json_group_array json_group_object json_insert json_object json_patch json_quote json_remove json_replace
    json_set json_tree json_type json_valid lag last_value lead length like likelihood likely lower ltrim max
    min mod nth_value ntile nullif octet_length percent_rank printf quote rank replace round row_number rtrim
    sign string_agg substr substring sum total trim trunc typeof unhex unicode unlikely upper -> ->>
"""
FUNCTIONS = frozenset(_NAMES.split())
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
}
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def read(path: Path, source: Source, file: str, grants: Grants) -> Iterator[Record | Issue]:
    """Yield one record per row of the table or query, in its order."""
    _check_file(path, file)
    denied: list[str] = []
    connection = _connect(path)
    try:
        statement = _statement(connection, source, file)
        connection.set_authorizer(_authorizer(denied))
        yield from _rows(connection, statement, file)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise unusable(file, _sentence(error, denied)) from None
    finally:
        connection.close()


def count_rows(path: Path, file: str, grants: Grants) -> dict[str, int]:
    """The rows of each table, up to COUNTED_ROWS. Raises as `read` does."""
    _check_file(path, file)
    connection = _connect(path)
    try:
        tables = [name for name, kind in _kinds(connection).items() if kind == "table"]
        inner = {name: f"SELECT 1 FROM {_quoted(name)} LIMIT {COUNTED_ROWS}" for name in tables}  # noqa: S608
        return {
            name: connection.execute(f"SELECT count(*) FROM ({rows})").fetchone()[0]  # noqa: S608
            for name, rows in inner.items()
        }
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise unusable(file, _sentence(error, [])) from None
    finally:
        connection.close()


def _check_file(path: Path, file: str) -> None:
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise unusable(
                file,
                "found a file that is no SQLite database, expected one. Choose another file.",
            )
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise unusable(
            file,
            f"found changes in {shown(log.name)} that are not in the database yet, expected a whole file. "
            "Close the program that writes it, or run `PRAGMA wal_checkpoint(TRUNCATE)`.",
        )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    # Bytes that are not UTF-8 come out as halves of surrogate pairs, which are then refused by row.
    connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    for pragma in (
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "query_only=ON",
        "temp_store=MEMORY",
        f"hard_heap_limit={MAX_HEAP_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    return connection


def _statement(connection: sqlite3.Connection, source: Source, file: str) -> str:
    if source.query is not None:
        if not _ORDERED.search(source.query):
            raise unusable(
                file,
                "`query`: found no ORDER BY, expected one: without it the order of the records is not fixed. "
                "Add it.",
            )
        return source.query
    kinds = _kinds(connection)
    tables = [name for name, kind in kinds.items() if kind == "table"]
    name = source.table
    if name is None and len(tables) == 1:
        name = tables[0]
    if name is None:
        raise unusable(
            file,
            f"found {len(tables)} tables ({listed(tables)}), expected one. "
            "Set `table` to the one to read, or write a `query`.",
        )
    if kinds.get(name) == "view":
        raise unusable(
            file, f"`table`: found the view {shown(name)}, expected a table. Write a `query` with ORDER BY."
        )
    if name not in tables:
        hint = nearest(name, tables) or f"The database has {listed(tables)}."
        raise unusable(file, f"`table`: found no {shown(name)}, expected a table of the database. {hint}")
    quoted = _quoted(name)
    try:
        connection.execute(f"SELECT rowid FROM {quoted} LIMIT 0")  # noqa: S608 - quoted above
    except sqlite3.OperationalError:
        # A table WITHOUT ROWID lies in the order of its primary key.
        return f"SELECT * FROM {quoted}"  # noqa: S608
    return f"SELECT * FROM {quoted} ORDER BY rowid"  # noqa: S608


def _kinds(connection: sqlite3.Connection) -> dict[str, str]:
    """Tables and views by name."""
    return dict(
        connection.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        )
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(connection: sqlite3.Connection, statement: str, file: str) -> Iterator[Record | Issue]:
    calls = 0

    def step() -> bool:
        nonlocal calls
        calls += 1
        return calls * STEPS_PER_CALL > MAX_STEPS

    connection.set_progress_handler(step, STEPS_PER_CALL)
    cursor = connection.execute(statement)
    names = [column[0] for column in cursor.description or ()]
    again = next((name for name, times in Counter(names).items() if times > 1), None)
    if again is not None:
        raise unusable(
            file,
            f"found the column {shown(again)} twice, expected each once. Name one with AS.",
        )
    for row, values in enumerate(cursor, start=1):
        calls = 0
        problems = [
            f"column {shown(name)}: found bytes that are not UTF-8, expected text. Repair the row."
            for name, value in zip(names, values, strict=True)
            if isinstance(value, str) and next(surrogate_problems(value), None)
        ]
        if problems:
            yield from (Issue(place=Place(file=file, row=row), message=problem) for problem in problems)
        else:
            yield from records_of(names, values, file, row)


def _authorizer(denied: list[str]) -> Callable[..., int]:
    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in _ALLOWED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        is_function = action == sqlite3.SQLITE_FUNCTION
        denied.append(f"the function {shown(second)}" if is_function else "a statement that is not a SELECT")
        return sqlite3.SQLITE_DENY

    return authorize


def _sentence(error: sqlite3.Error | sqlite3.Warning, denied: list[str]) -> str:
    reason = one_line(str(error), limit=160)
    if denied:
        expected = "one SELECT" if "SELECT" in denied[0] else "one that docs/reference/sources.md lists"
        return f"`query`: found {denied[0]}, expected {expected}. Change the query."
    if "one statement" in reason:
        return "`query`: found several statements, expected one SELECT. Keep one."
    if reason == "interrupted":
        return "`query`: found one that takes too long from one row to the next, expected less. Simplify it."
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError | sqlite3.Warning):
        return f"`query`: found one that cannot be run ({reason}), expected one SELECT. Correct it."
    return f"found a database that cannot be read ({reason}), expected a sound one. Copy it again."
