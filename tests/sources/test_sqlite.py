"""SQLite: a table or one query, and nothing else."""

import sqlite3
from pathlib import Path

import pytest

from runner.sources import sqlite
from tests.sources.conftest import Read

NAME = "a.sqlite"


def write(folder: Path, *statements: str, name: str = NAME) -> None:
    connection = sqlite3.connect(folder / name)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def faq(read: Read) -> Read:
    write(
        read.folder,
        "CREATE TABLE faq (id INTEGER PRIMARY KEY, q TEXT, price REAL, note)",
        "INSERT INTO faq VALUES (3, '셋', 1.5, NULL), (1, '하나', 2, X'EAB080'), (2, 'two', 9e9, 7)",
        "CREATE VIEW short AS SELECT q FROM faq",
        "CREATE INDEX by_q ON faq (q, id, price, note)",
    )
    return read


def query(read: Read, text: str) -> str:
    return read.problem({"path": NAME, "query": text})


def test_the_only_table_is_read_in_the_order_of_its_rows(faq: Read) -> None:
    expected = [
        {"id": 1, "q": "하나", "price": 2.0, "note": "가"},
        {"id": 2, "q": "two", "price": 9e9, "note": 7},
        {"id": 3, "q": "셋", "price": 1.5, "note": None},
    ]

    assert expected == faq.records({"path": NAME})
    assert expected == faq.records({"path": NAME, "table": "faq"})
    assert [(NAME, 1), (NAME, 2), (NAME, 3)] == faq.rows({"path": NAME})


def test_a_query_gives_its_rows_in_its_order(faq: Read) -> None:
    text = (
        "WITH t AS (SELECT q, price FROM faq) SELECT upper(q) AS q, round(price) AS n FROM t "
        "ORDER BY price DESC"
    )

    assert [{"q": "TWO", "n": 9e9}, {"q": "하나", "n": 2.0}, {"q": "셋", "n": 2.0}] == faq.records(
        {"path": NAME, "query": text}
    )
    assert [{"q": "하나"}] == faq.records(
        {"path": NAME, "query": "SELECT * FROM short ORDER BY q DESC LIMIT 1"}
    )


def test_tables_without_row_numbers_and_with_odd_names(read: Read) -> None:
    write(
        read.folder,
        'CREATE TABLE "a "" b" (k TEXT PRIMARY KEY, v) WITHOUT ROWID',
        """INSERT INTO "a "" b" VALUES ('b', 1), ('a', 2)""",
    )

    assert [{"k": "a", "v": 2}, {"k": "b", "v": 1}] == read.records({"path": NAME, "table": 'a " b'})


def test_a_table_has_to_be_chosen(read: Read) -> None:
    write(read.folder, "CREATE TABLE faq (a)", "CREATE TABLE notes (a)", "CREATE VIEW v AS SELECT a FROM faq")

    assert (
        "a.sqlite: found 2 tables ('faq', 'notes'), expected one. Set `table` to the one to read, "
        "or write a `query`." == read.problem({"path": NAME})
    )
    assert (
        "a.sqlite: `table`: found no 'note', expected a table of the database. Did you mean 'notes'?"
        == read.problem({"path": NAME, "table": "note"})
    )
    assert (
        "a.sqlite: `table`: found the view 'v', expected a table. Write a `query` with ORDER BY."
        == read.problem({"path": NAME, "table": "v"})
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "SELECT 1",
            "found no ORDER BY, expected one: without it the order of the records is not fixed. Add it.",
        ),
        (
            "DELETE FROM faq -- order by",
            "found a statement that is not a SELECT, expected one SELECT. Change the query.",
        ),
        (
            "ATTACH '/etc/x' AS x -- order by",
            "found a statement that is not a SELECT, expected one SELECT. Change the query.",
        ),
        (
            "PRAGMA table_list -- order by",
            "found a statement that is not a SELECT, expected one SELECT. Change the query.",
        ),
        ("SELECT 1 ORDER BY 1; SELECT 2", "found several statements, expected one SELECT. Keep one."),
        (
            "SELECT q FROM faq ORDER BY random()",
            "found the function 'random', expected one that docs/reference/sources.md lists. Change "
            "the query.",
        ),
        (
            "SELECT date('now') ORDER BY 1",
            "found the function 'date', expected one that docs/reference/sources.md lists. Change the query.",
        ),
        (
            "SELECT load_extension('x') ORDER BY 1",
            "found the function 'load_extension', expected one that docs/reference/sources.md lists. "
            "Change the query.",
        ),
        (
            "SELECT qq FROM faq ORDER BY 1",
            "found one that cannot be run (no such column: qq), expected one SELECT. Correct it.",
        ),
    ],
)
def test_a_query_only_reads(text: str, found: str, faq: Read) -> None:
    assert f"a.sqlite: `query`: {found}" == query(faq, text)


def test_a_repeated_column_is_named(faq: Read) -> None:
    assert "a.sqlite: found the column 'q' twice, expected each once. Name one with AS." == query(
        faq, "SELECT q, q FROM faq ORDER BY 1"
    )


def test_a_query_that_takes_too_long_is_stopped(faq: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MAX_STEPS", 10_000)
    monkeypatch.setattr(sqlite, "STEPS_PER_CALL", 1_000)

    assert (
        "a.sqlite: `query`: found one that takes too long from one row to the next, expected less. "
        "Simplify it."
        == query(
            faq,
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r ORDER BY 1",
        )
    )


def test_broken_values_are_named_by_row(read: Read) -> None:
    write(
        read.folder,
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (CAST(X'ff41' AS TEXT)), (X'ffd8ff'), (9e999)",
    )

    assert [
        "a.sqlite: row 2: column 'a': found bytes that are not UTF-8, expected text. Repair the row.",
        "a.sqlite: row 3: column 'a': found 3 bytes that are not UTF-8 text, expected text. Leave the "
        "column out.",
        "a.sqlite: row 4: column 'a': found an infinite number, expected a finite one. "
        "Use null, and give the field a default.",
    ] == read.problems({"path": NAME})


@pytest.mark.parametrize("content", [b"SQLite", b"id,text\n1,a\n"])
def test_a_file_that_is_no_database(content: bytes, read: Read) -> None:
    (read.folder / NAME).write_bytes(content)

    assert (
        "a.sqlite: found a file that is no SQLite database, expected one. Choose another file."
        == read.problem({"path": NAME})
    )


def test_a_damaged_database(faq: Read) -> None:
    content = bytearray((faq.folder / NAME).read_bytes())
    content[4096:8192] = b"\xff" * 4096
    (faq.folder / NAME).write_bytes(content)

    assert (
        "a.sqlite: found a database that cannot be read (database disk image is malformed), "
        "expected a sound one. Copy it again." == faq.problem({"path": NAME})
    )


def test_changes_beside_the_database_are_not_passed_over(read: Read) -> None:
    connection = sqlite3.connect(read.folder / NAME)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()

    assert (
        "a.sqlite: found changes in 'a.sqlite-wal' that are not in the database yet, expected a whole file. "
        "Close the program that writes it, or run `PRAGMA wal_checkpoint(TRUNCATE)`."
        == read.problem({"path": NAME})
    )
    connection.close()


def test_nothing_is_written_beside_it(faq: Read) -> None:
    before = sorted(path.name for path in faq.folder.iterdir())

    faq.records({"path": NAME})

    assert before == sorted(path.name for path in faq.folder.iterdir())
