"""Every format is read in the confined process, whose memory and time are bounded."""

import signal
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.examples.read import Example
from runner.examples.wire import Bounds
from tests.sources.conftest import Read

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
pytest.importorskip("duckdb", reason="duckdb is not installed (extra `duckdb`)")
openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed (extra `excel`)")
zstd = pytest.importorskip("backports.zstd", reason="backports.zstd is not installed (extra `zstd`)")

ROWS = [{"title": f"제목 {n}"} for n in range(300)]

Sources = list[dict[str, Any]]
Write = Callable[[Path], Sources]


def write_parquet(folder: Path) -> Sources:
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    return [{"path": "a.parquet"}]


def write_arrow(folder: Path) -> Sources:
    import pyarrow.feather

    pyarrow.feather.write_feather(pa.Table.from_pylist(ROWS), folder / "a.arrow", compression="zstd")
    return [{"path": "a.arrow"}]


def write_excel(folder: Path) -> Sources:
    book = openpyxl.Workbook()
    for line in (["title"], *([row["title"]] for row in ROWS)):
        book.active.append(line)
    book.save(folder / "a.xlsx")
    return [{"path": "a.xlsx"}]


def write_sqlite(folder: Path) -> Sources:
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute("CREATE TABLE t (title)")
        connection.executemany("INSERT INTO t VALUES (?)", [(row["title"],) for row in ROWS])
    connection.close()
    return [{"path": "a.db", "query": "SELECT title FROM t ORDER BY length(title), title"}]


def write_query(folder: Path) -> Sources:
    lines = "".join(f"{row['title']}\n" for row in ROWS)
    (folder / "t.csv").write_text(f"title\n{lines}", encoding="utf-8")
    query = "SELECT title FROM t ORDER BY length(title), title"
    return [{"name": "t", "path": "t.csv"}, {"tables": ["t"], "query": query}]


def write_zstd(folder: Path) -> Sources:
    lines = "".join(f"{row['title']}\n" for row in ROWS)
    (folder / "a.csv.zst").write_bytes(zstd.compress(f"title\n{lines}".encode()))
    return [{"path": "a.csv.zst"}]


def write_zip(folder: Path) -> Sources:
    lines = "".join(f"- title: {row['title']}\n" for row in ROWS)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.yaml", lines)
    return [{"path": "a.zip"}]


WRITERS = (write_parquet, write_arrow, write_excel, write_sqlite, write_query, write_zstd, write_zip)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_the_same_comes_out_as_without(write: Write, read: Read) -> None:
    sources = write(read.folder)

    items = read.confined(*sources)

    titles = [item.messages[0].content for item in items if isinstance(item, Example)]
    assert [row["title"] for row in ROWS] == titles
    assert items == read.items(*sources)


def test_a_query_that_needs_too_much_memory_ends_in_a_sentence(read: Read) -> None:
    named, _ = write_query(read.folder)
    query = "SELECT list(a.title || b.title || c.title) AS title FROM t a, t b, t c ORDER BY 1"

    assert [
        "query: found data that needs more than 1024 MiB of memory, expected less. "
        "Simplify the template, the paths or the data."
    ] == [str(item) for item in read.confined(named, {"tables": ["t"], "query": query})]


def test_a_crash_of_a_library_ends_in_a_sentence(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})"
    monkeypatch.setattr("runner.examples.confinement._START", crash)

    assert [
        "test: found a recipe that crashes the library which reads it (SIGSEGV), expected a sound file. "
        "Write it again with the program that made it."
    ] == [str(item) for item in read.confined(*write_parquet(read.folder))]


def test_a_query_without_end_is_stopped(read: Read) -> None:
    [source] = write_sqlite(read.folder)
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    query = f"{numbers} SELECT max(n) AS title FROM r ORDER BY 1"

    assert [
        "a.db: found data that takes more than 0.5 s of processor time, expected less. "
        "Simplify the template, the paths or the data."
    ] == [str(item) for item in read.confined({**source, "query": query}, bounds=Bounds(read_s=0.5))]


def test_what_a_library_prints_is_no_answer(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB draws a bar for a query that takes long."""
    start = "import sys; sys.path[:] = sys.argv[2:]; import os; from runner.sources import parquet\n"
    start += "old = parquet.read\n"
    start += "def read(*parts):\n    os.write(1, b'50% done')\n    yield from old(*parts)\n"
    start += "parquet.read = read\nfrom runner.examples.worker import main; main()"
    monkeypatch.setattr("runner.examples.confinement._START", start)

    assert len(ROWS) == len(read.confined(*write_parquet(read.folder)))
