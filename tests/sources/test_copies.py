"""Copies of one table in every format give byte-identical datasets."""

import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.dataset.write import training_line
from runner.examples.read import Example, read_examples
from runner.examples.scalars import scalar_text
from runner.project import Project
from runner.recipe.parse import parse_recipe

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed (extra `excel`)")
pytest.importorskip("duckdb", reason="duckdb is not installed (extra `duckdb`)")

# What every format can hold: XML knows no control characters, Excel no more than 15 digits, SQLite no NUL.
texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff\u2028\u2029")
    | st.sampled_from("가나é\u200b😀\"',;:#-{}[]&*!|>%@`"),
    max_size=20,
)
integers = st.integers(-(10**14), 10**14)
floats = st.floats(-1e9, 1e9).map(lambda x: round(x, 3)).filter(lambda x: x != int(x))
rows = st.fixed_dictionaries(
    {
        "질문": texts,
        "n": integers | st.none(),
        "x": floats | st.none(),
        "yes": st.booleans() | st.none(),
        "on": st.dates().map(str) | st.none(),
    }
)
tables = st.lists(rows, min_size=1, max_size=6)
COLUMNS = ("id", "질문", "n", "x", "yes", "on")
FIELDS = {
    name: {"path": path, "default": ""}
    for name, path in {"q": "질문", "n": "n", "x": "x", "yes": "yes", "day": "on"}.items()
}


def as_csv(table: list[dict[str, Any]], path: Path, delimiter: str = ",") -> None:
    """Numbers and truth values as JSON writes them, nothing for null."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in table:
        writer.writerow(["" if row[name] is None else scalar_text(row[name]) for name in COLUMNS])
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")


def as_arrow(table: list[dict[str, Any]]) -> Any:
    kinds = (pa.int64(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string())
    plain = pa.table(
        {
            name: pa.array([row[name] for row in table], kind)
            for name, kind in zip(COLUMNS, kinds, strict=True)
        }
    )
    days = (
        pa.array([None if row["on"] is None else row["on"] for row in table])
        .cast(pa.string())
        .cast(pa.date32())
    )
    return plain.set_column(5, "on", days)


def as_excel(table: list[dict[str, Any]], path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(COLUMNS)
    for row in table:
        cells = [openpyxl.cell.WriteOnlyCell(sheet, row[name]) for name in COLUMNS]
        # Otherwise `=1` becomes a formula.
        cells[1].data_type = "s"
        sheet.append(cells)
    book.save(path)


def as_sqlite(table: list[dict[str, Any]], path: Path) -> None:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, "질문" TEXT, n, x, yes TEXT, "on" TEXT)')
        lines = [
            [scalar_text(row[name]) if name == "yes" else row[name] for name in COLUMNS] for row in table
        ]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", lines)
    connection.close()


def write_all(table: list[dict[str, Any]], folder: Path) -> list[list[dict[str, Any]]]:
    """Write a table in every format; returns the sources that read it."""
    import pyarrow.feather
    import pyarrow.parquet
    import yaml

    class _Quoting(yaml.SafeDumper):
        pass

    _Quoting.add_representer(
        str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    )

    text = json.dumps(table, ensure_ascii=False)
    (folder / "a.json").write_text(text, encoding="utf-8")
    (folder / "in.json").write_text(f'{{"rows": {text}}}', encoding="utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in table)
    (folder / "a.jsonl").write_text(lines, encoding="utf-8")
    as_csv(table, folder / "a.csv")
    as_csv(table, folder / "a.tsv", "\t")
    # Quoted throughout, for YAML 1.1, which writes here, takes 0E0 for text and YAML 1.2 for a number.
    quoted = yaml.dump(table, Dumper=_Quoting, allow_unicode=False, sort_keys=False)
    (folder / "a.yaml").write_text(quoted, encoding="utf-8")
    pyarrow.parquet.write_table(as_arrow(table), folder / "a.parquet")
    pyarrow.feather.write_feather(as_arrow(table), folder / "a.arrow", compression="uncompressed")
    as_excel(table, folder / "a.xlsx")
    as_sqlite(table, folder / "a.sqlite")
    names = ("a.json", "a.jsonl", "a.csv", "a.tsv", "a.yaml", "a.parquet", "a.arrow", "a.xlsx", "a.sqlite")
    query = {"tables": ["t"], "query": "SELECT * FROM t ORDER BY id::BIGINT"}
    return [
        *([{"path": name}] for name in names),
        [{"path": "in.json", "records": "rows"}],
        [{"name": "t", "path": "a.parquet"}, query],
        [{"name": "t", "path": "a.csv"}, query],
    ]


def dataset(sources: list[dict[str, Any]], folder: Path) -> list[tuple[str, bytes]]:
    """The identity and the bytes of every example."""
    recipe = parse_recipe(
        {
            "name": "copies",
            "sources": sources,
            "key": "id",
            "fields": FIELDS,
            "template": {
                "messages": [
                    {"role": "user", "content": "{{ q }}"},
                    {"role": "assistant", "content": "{{ n }} {{ x }} {{ yes }} {{ day }}"},
                ]
            },
            "training": {"model": "tiny-1"},
        }
    )
    items = list(read_examples(recipe, folder, Project(root=folder)))
    examples = [item for item in items if isinstance(item, Example)]
    assert examples == items
    return [(item.identity, training_line(item.messages)) for item in examples]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables)
def test_every_format_gives_the_same_bytes(table: list[dict[str, Any]], project: Path) -> None:
    folder = project.resolve()
    table = [{"id": number, **row} for number, row in enumerate(table)]

    first, *others = [dataset(sources, folder) for sources in write_all(table, folder)]

    assert len(table) == len(first)
    assert [first] * len(others) == others
