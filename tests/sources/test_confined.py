"""Every format is read in the confined process, whose memory and time are bounded."""

import signal
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.examples.confinement import read_confined
from runner.examples.read import Example, read_examples
from runner.examples.wire import Bounds
from runner.issues import Issue
from tests.examples.conftest import MakeSetting, Setting

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
pytest.importorskip("duckdb", reason="duckdb is not installed (extra `duckdb`)")
openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed (extra `excel`)")
zstd = pytest.importorskip("backports.zstd", reason="backports.zstd is not installed (extra `zstd`)")

ROWS = [{"title": f"제목 {n}"} for n in range(300)]

pytest_plugins = ["tests.examples.conftest"]


def write_parquet(folder: Path) -> dict[str, Any]:
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    return {"path": "a.parquet"}


def write_arrow(folder: Path) -> dict[str, Any]:
    import pyarrow.feather

    pyarrow.feather.write_feather(pa.Table.from_pylist(ROWS), folder / "a.arrow", compression="zstd")
    return {"path": "a.arrow"}


def write_excel(folder: Path) -> dict[str, Any]:
    book = openpyxl.Workbook()
    for line in (["title"], *([row["title"]] for row in ROWS)):
        book.active.append(line)
    book.save(folder / "a.xlsx")
    return {"path": "a.xlsx"}


def write_sqlite(folder: Path) -> dict[str, Any]:
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute("CREATE TABLE t (title)")
        connection.executemany("INSERT INTO t VALUES (?)", [(row["title"],) for row in ROWS])
    connection.close()
    return {"path": "a.db", "query": "SELECT title FROM t ORDER BY length(title), title"}


def write_query(folder: Path) -> dict[str, Any]:
    lines = "".join(f"{row['title']}\n" for row in ROWS)
    (folder / "t.csv").write_text(f"title\n{lines}", encoding="utf-8")
    return {"tables": ["t"], "query": "SELECT title FROM t ORDER BY length(title), title"}


def write_zstd(folder: Path) -> dict[str, Any]:
    lines = "".join(f"{row['title']}\n" for row in ROWS)
    (folder / "a.csv.zst").write_bytes(zstd.compress(f"title\n{lines}".encode()))
    return {"path": "a.csv.zst"}


def write_zip(folder: Path) -> dict[str, Any]:
    lines = "".join(f"- title: {row['title']}\n" for row in ROWS)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.yaml", lines)
    return {"path": "a.zip"}


WRITERS = (write_parquet, write_arrow, write_excel, write_sqlite, write_query, write_zstd, write_zip)


def make(setting: MakeSetting, write: Callable[[Path], dict[str, Any]]) -> Setting:
    folder = setting().folder
    source = write(folder)
    named = [{"name": "t", "path": "t.csv"}] if "tables" in source else []
    return setting(sources=[*named, source])


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_the_same_comes_out_as_without(write: Callable[[Path], dict[str, Any]], setting: MakeSetting) -> None:
    made = make(setting, write)

    items = list(read_confined(made.recipe, made.folder, made.project))

    assert [row["title"] for row in ROWS] == [
        item.messages[0].content for item in items if isinstance(item, Example)
    ]
    assert items == list(read_examples(made.recipe, made.folder, made.project))


def test_a_query_that_needs_too_much_memory_ends_in_a_sentence(setting: MakeSetting) -> None:
    write_query(setting().folder)
    query = "SELECT list(a.title || b.title || c.title) AS title FROM t a, t b, t c ORDER BY 1"
    made = setting(sources=[{"name": "t", "path": "t.csv"}, {"tables": ["t"], "query": query}])

    assert [
        "test: found data after this record that needs more than 1024 MiB of memory, expected less. "
        "Simplify the template, the paths or the data."
    ] == [str(item) for item in read_confined(made.recipe, made.folder, made.project)]


def test_a_crash_of_a_library_ends_in_a_sentence(
    setting: MakeSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})"
    monkeypatch.setattr("runner.examples.confinement._START", crash)
    made = setting(data=[{"title": "A"}])

    assert [
        "test: found a recipe that crashes the library which reads it (SIGSEGV), expected a sound file. "
        "Write it again with the program that made it."
    ] == [str(item) for item in read_confined(made.recipe, made.folder, made.project)]


def test_a_query_without_end_is_stopped(setting: MakeSetting) -> None:
    write_sqlite(setting().folder)
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    query = f"{numbers} SELECT max(n) AS title FROM r ORDER BY 1"
    made = setting(sources=[{"path": "a.db", "query": query}])

    [item] = read_confined(made.recipe, made.folder, made.project, bounds=Bounds(read_s=0.5))

    assert isinstance(item, Issue)
    assert (
        "found data after this record that takes more than 0.5 s of processor time, expected less. "
        "Simplify the template, the paths or the data." == item.message
    )
