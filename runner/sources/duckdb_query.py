"""One SELECT over the files of named sources, run by DuckDB with everything else closed to it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.display import one_line, shown
from runner.hints import listed
from runner.issues import Issue
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.base import Record, unusable
from runner.sources.columnar import ROWS_PER_BATCH, Allowed, explained, quiet_arrow, records_of_batches
from runner.sources.duckdb_check import query_problem
from runner.sources.encodings import AUTO
from runner.sources.extras import require
from runner.sources.lines import bounded_lines
from runner.sources.unpack import MAX_UNPACKED_BYTES

MEMORY = "384MB"
FORMATS = frozenset({"parquet", "csv", "tsv", "json", "jsonl"})

# No text is this one, so that an empty cell stays empty text as it is elsewhere.
_NO_NULL = "\x01no null\x02"
# A format that no text has: a text that looks like a date stays text.
_NO_DATES = "dateformat='%%', timestampformat='%%'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a query may read under one name: files of one format."""

    source: Source
    format: str
    paths: tuple[Path, ...]


def read(tables: Mapping[str, Table], query: str, file: str, grants: Grants) -> Iterator[Record | Issue]:
    """Yield one record per row of the query, in its order.

    Raises InvalidInputError for a query that does more than read these tables, or whose result may differ
    from run to run.
    """
    duckdb = require("duckdb", file=file)
    require("pyarrow", file=file)
    quiet_arrow()
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    try:
        for name, table in tables.items():
            _check_table(name, table, file)
        _close(connection, [path for table in tables.values() for path in table.paths])
        problem = query_problem(connection, query, set(tables))
        if problem:
            raise unusable(file, f"`query`: {problem}")
        for name, table in tables.items():
            connection.execute(f"CREATE VIEW {_name(name)} AS {_select(table)}")
        connection.execute("SET lock_configuration=true")
        with explained("Arrow", file):
            reader = connection.sql(query).to_arrow_reader(ROWS_PER_BATCH)
            allowed = Allowed(file, grants.max_unpacked_bytes or MAX_UNPACKED_BYTES)
            yield from records_of_batches(reader, reader.schema, file, allowed)
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except duckdb.Error as error:
        reason = one_line(str(error).split("\n\n")[0], limit=200)
        raise unusable(file, f"`query`: found one that fails ({reason}). Correct it, or the data.") from None
    finally:
        connection.close()


def _close(connection: Any, paths: Sequence[Path]) -> None:
    """Close everything but these files, before any text of the recipe is looked at."""
    allowed = ", ".join(_text(str(path)) for path in paths)
    connection.execute("SET enable_progress_bar=false")
    connection.execute("SET timezone='UTC'")
    connection.execute(f"SET allowed_paths=[{allowed}]")
    connection.execute("SET enable_external_access=false")


def _check_table(name: str, table: Table, file: str) -> None:
    source = table.source
    odd = {"records": source.records, "member": source.member}
    found = next((f"`{key}`" for key, value in odd.items() if value is not None), "")
    if table.format not in FORMATS:
        found = f"the format {table.format}"
    elif source.encoding not in ("utf-8", AUTO):
        found = f"the encoding {source.encoding}"
    elif any(path.suffix.lower() in (".gz", ".zst", ".xz", ".bz2", ".zip") for path in table.paths):
        found = "a packed file"
    if found:
        raise unusable(
            file,
            f"`tables`: found {found} in the source {shown(name)}, which a query cannot read, expected plain "
            f"files of format {listed(sorted(FORMATS))}. Convert it, or use `join`.",
        )


def _select(table: Table) -> str:
    if table.format == "parquet":
        function, options = "read_parquet", ""
    elif table.format in ("csv", "tsv"):
        function, options = "read_csv", _csv_options(table)
    else:
        kind = "array" if table.format == "json" else "newline_delimited"
        function, options = "read_json", f", format='{kind}', sample_size=-1, {_NO_DATES}"
    paths = ", ".join(_text(str(path)) for path in table.paths)
    return f"SELECT * FROM {function}([{paths}]{options})"  # noqa: S608 - every name in it is quoted


def _csv_options(table: Table) -> str:
    delimiter = table.source.delimiter or {"csv": ",", "tsv": "\t"}[table.format]
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in _header(table.paths[0], delimiter))
    return (
        f", columns={{{columns}}}, auto_detect=false, header=true, delim={_text(delimiter)}, "
        f"quote='\"', escape='\"', strict_mode=true, nullstr={_text(_NO_NULL)}"
    )


def _header(path: Path, delimiter: str) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(bounded_lines(stream, path.name), delimiter=delimiter, strict=True)
        return next((row for row in rows if row), [])


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
