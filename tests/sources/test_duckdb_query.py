"""DuckDB: one SELECT over named files, the same rows every time, and nothing else open to it."""

import json
from typing import Any

import pytest

from tests.sources.conftest import Read

pytest.importorskip("duckdb", reason="duckdb is not installed (extra `duckdb`)")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `duckdb`)")
parquet = pytest.importorskip("pyarrow.parquet")

NAMED = [
    {"name": "pages", "path": "pages.jsonl"},
    {"name": "topics", "path": "topics.csv"},
    {"name": "prices", "path": "prices.parquet"},
]


@pytest.fixture
def files(read: Read) -> Read:
    pages = [
        {"id": 2, "title": "둘", "topic": "b", "seen": "2026-03-01 10:00"},
        {"id": 1, "title": "one", "topic": "a", "seen": None},
    ]
    lines = "".join(json.dumps(page) + "\n" for page in pages)
    (read.folder / "pages.jsonl").write_text(lines, encoding="utf-8")
    (read.folder / "topics.csv").write_text('key,name\na,""\nb,"x, y"\n', encoding="utf-8")
    parquet.write_table(pa.table({"id": [1, 2], "won": [3, 4]}), read.folder / "prices.parquet")
    return read


def run(read: Read, query: str, named: list[dict[str, Any]] = NAMED) -> list[Any]:
    tables = [source["name"] for source in named]
    return read.records(*named, {"tables": tables, "query": query})


def problem(read: Read, query: str, named: list[dict[str, Any]] = NAMED) -> str:
    tables = [source["name"] for source in named]
    return read.problem(*named, {"tables": tables, "query": query}).removeprefix("query: `query`: ")


def test_named_sources_are_joined(files: Read) -> None:
    query = (
        "SELECT p.id, title, t.name AS topic, won, seen FROM pages p JOIN topics t ON t.key = p.topic "
        "JOIN prices USING (id) ORDER BY p.id"
    )

    assert [
        {"id": 1, "title": "one", "topic": "", "won": 3, "seen": None},
        {"id": 2, "title": "둘", "topic": "x, y", "won": 4, "seen": "2026-03-01 10:00"},
    ] == run(files, query)


def test_aggregates_windows_and_lists(files: Read) -> None:
    query = (
        "WITH t AS (SELECT * FROM prices) SELECT count(*) AS n, sum(won) AS total, avg(won) AS mean, "
        "list(won ORDER BY won DESC) AS all_of_them, list_sum([1, 2]) AS macro, "
        "TIMESTAMP '2026-03-01 01:02:03' AS at, 0.1::FLOAT AS short, 1.50::DECIMAL(4, 2) AS exact "
        "FROM t ORDER BY ALL"
    )

    assert [
        {
            "n": 2,
            "total": 7,
            "mean": 3.5,
            "all_of_them": [4, 3],
            "macro": 3,
            "at": "2026-03-01T01:02:03",
            "short": 0.1,
            "exact": "1.50",
        }
    ] == run(files, query)


def test_records_are_called_by_the_name_of_the_source(files: Read) -> None:
    source = {"name": "won", "tables": ["prices"], "query": "SELECT won FROM prices ORDER BY won"}

    assert [("won", 1), ("won", 2)] == files.rows(*NAMED[2:], source)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (
            "SELEC 1",
            'found one that cannot be parsed (syntax error at or near "SELEC"), expected one SELECT. '
            "Correct it.",
        ),
        ("SELECT 1 ORDER BY 1; SELECT 2", "found several statements, expected one SELECT. Keep one."),
        ("COPY pages TO 'x.csv'", "found a statement that is not a SELECT, expected one. Change it."),
        ("ATTACH 'x.db'", "found a statement that is not a SELECT, expected one. Change it."),
        ("SET threads = 8", "found a statement that is not a SELECT, expected one. Change it."),
        ("INSTALL httpfs", "found a statement that is not a SELECT, expected one. Change it."),
        ("DESCRIBE pages", "found SHOW_REF, expected one SELECT of the tables. Change it."),
        (
            "SELECT * FROM pages",
            "found no ORDER BY at its end, expected one: without it the order of the records is not "
            "fixed. Add it.",
        ),
        (
            "SELECT * FROM (SELECT * FROM pages ORDER BY id)",
            "found no ORDER BY at its end, expected one: without it the order of the records is not "
            "fixed. Add it.",
        ),
        (
            "SELECT * FROM read_text('/etc/passwd') ORDER BY 1",
            "found the table function 'read_text', expected only the sources in `tables`. Name one.",
        ),
        (
            "SELECT * FROM query('SELECT 1') ORDER BY 1",
            "found the table function 'query', expected only the sources in `tables`. Name one.",
        ),
        (
            "SELECT * FROM '/etc/passwd' ORDER BY 1",
            "found the table '/etc/passwd', expected a source that `tables` names. Known here: pages, "
            "prices, topics.",
        ),
        (
            "SELECT * FROM page ORDER BY 1",
            "found the table 'page', expected a source that `tables` names. Did you mean 'pages'?",
        ),
        (
            "SELECT * FROM pages WHERE id IN (SELECT id FROM prices WHERE random() < 1) ORDER BY 1",
            "found the function 'random', expected one that gives the same result every time. Remove it.",
        ),
        (
            "SELECT age(TIMESTAMP '2020-01-01') ORDER BY 1",
            "found the function 'age', expected one that gives the same result every time. Remove it.",
        ),
        (
            "SELECT getenv('HOME') ORDER BY 1",
            "found the function 'getenv', expected one that gives the same result every time. Remove it.",
        ),
        (
            "SELECT current_date ORDER BY 1",
            "found 'current_date', expected no clock and no user. Write the value out.",
        ),
        (
            "SELECT * FROM pages TABLESAMPLE 10% ORDER BY 1",
            "found TABLESAMPLE, which draws anew every time, expected none. Use `sample` of the recipe.",
        ),
        (
            "SELECT id, id FROM pages ORDER BY 1",
            "query: found the column 'id' twice, expected each once. Rename one.",
        ),
    ],
)
def test_what_a_query_may_not_do(query: str, found: str, files: Read) -> None:
    assert found == problem(files, query)


def test_a_query_that_fails_is_explained(files: Read) -> None:
    assert problem(files, "SELECT titel FROM pages ORDER BY 1").startswith(
        'found one that fails (Binder Error: Referenced column "titel" not found in FROM clause!'
    )


def test_sources_that_a_query_cannot_read_are_named(files: Read) -> None:
    (files.folder / "a.yaml").write_text("- a: 1\n")
    end = (
        ", which a query cannot read, expected plain files of format 'csv', 'json', 'jsonl', "
        "'parquet', 'tsv'. "
        "Convert it, or use `join`."
    )

    def found(**source: str) -> str:
        return problem(files, "SELECT 1 ORDER BY 1", [{"name": "x", **source}])

    assert f"query: `tables`: found the format yaml in the source 'x'{end}" == found(path="a.yaml")
    assert f"query: `tables`: found the encoding cp949 in the source 'x'{end}" == found(
        path="topics.csv", encoding="cp949"
    )


def test_a_file_that_grows_past_memory_ends_in_a_memory_error(files: Read) -> None:
    """The confined process says so in a sentence."""
    query = "SELECT list(range) AS l FROM range(100000000) ORDER BY 1"

    with pytest.raises(MemoryError):
        run(files, query)
