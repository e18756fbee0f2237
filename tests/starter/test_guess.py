"""A starter recipe for a file of any format says what it guessed from what."""

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.examples.read import Example, read_examples
from runner.project import Project
from runner.recipe.load import load_recipe
from runner.starter.guess import Guess, guess_recipe

ROWS = [{"번호": n, "제목": f"제목 {n}", "내용": f"내용입니다 {n} " * 3, "seen": n * 2} for n in range(12)]
MAPPING = (
    "question from 제목, named like a title: in 12 of 12 sampled records, such as '제목 0'",
    "answer from 내용, named like a text: in 12 of 12 sampled records, such as "
    "'내용입니다 0 내용입니다 0 내용입니다 0 '",
    "key from 번호, another value in every record: in 12 of 12 sampled records, such as '0'",
    "left out: seen",
)


def as_csv(rows: list[dict[str, Any]]) -> str:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return "\n".join(lines) + "\n"


def write_csv(folder: Path) -> str:
    (folder / "a.csv").write_bytes(as_csv(ROWS).encode("cp949"))
    return "a.csv"


def write_utf_16(folder: Path) -> str:
    (folder / "a.csv").write_bytes(as_csv(ROWS).encode("utf-16"))
    return "a.csv"


def write_gzip(folder: Path) -> str:
    text = json.dumps({"short": [{"a": 1}], "inner": {"rows": ROWS}}, ensure_ascii=False)
    (folder / "a.json.gz").write_bytes(gzip.compress(text.encode()))
    return "a.json.gz"


def write_zip(folder: Path) -> str:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "x" * 100_000)
        archive.writestr("small.csv", "a,b\n1,2\n")
        archive.writestr("d/rows.csv", as_csv(ROWS))
    return "a.zip"


def write_yaml(folder: Path) -> str:
    import yaml

    (folder / "a.yml").write_text(yaml.safe_dump({"rows": ROWS}, allow_unicode=True), encoding="utf-8")
    return "a.yml"


def write_excel(folder: Path) -> str:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed (extra `excel`)")
    book = openpyxl.Workbook()
    book.active.append(["notes"])
    sheet = book.create_sheet("자료")
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    book.save(folder / "a.xlsx")
    return "a.xlsx"


def write_sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute("CREATE TABLE meta (k, v)")
        connection.execute("CREATE TABLE faq (번호, 제목, 내용, seen)")
        connection.executemany("INSERT INTO faq VALUES (?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    connection.close()
    return "a.db"


def write_parquet(folder: Path) -> str:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    return "a.parquet"


def write_without_suffix(folder: Path) -> str:
    (folder / "data").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return "data"


CASES: dict[Callable[[Path], str], tuple[str, list[str]]] = {
    write_csv: ("    encoding: cp949\n", ["encoding cp949: every byte fits it, and not UTF-8"]),
    write_utf_16: (
        "    encoding: utf-16\n",
        ["encoding utf-16: the file begins with its byte order mark"],
    ),
    write_gzip: (
        "    records: inner.rows\n",
        ["records inner.rows: a list of 12 records, the longest of 2 lists"],
    ),
    write_zip: (
        "    member: d/rows.csv\n",
        ["member d/rows.csv: the largest of 2 data files in the archive"],
    ),
    write_yaml: ("    records: rows\n", ["records rows: a list of 12 records"]),
    write_excel: ("    sheet: 자료\n", ["sheet 자료: the one with the most rows of 2"]),
    write_sqlite: ("    table: faq\n", ["table faq: the one with the most rows of 2"]),
    write_parquet: ("", []),
    write_without_suffix: ("    format: jsonl\n", ["format jsonl: the file begins like one"]),
}


def test_the_first_lines_say_what_to_type_at_the_root(project: Path) -> None:
    root = project.resolve()
    (root / "recipes").mkdir()
    (root / "faq.csv").write_text("question,answer\n" + "What is it?,A kettle.\n" * 12)
    made = guess_recipe(root / "faq.csv", root / "recipes" / "faq.yaml", Project(root=root))

    assert [
        "# yaml-language-server: $schema=../.finetune/recipe.schema.json",
        "# finetune run recipes/faq.yaml",
    ] == made.text.splitlines()[:2]


def guess(project: Path, name: str) -> Guess:
    root = project.resolve()
    return guess_recipe(root / name, root / "a.yaml", Project(root=root))


@pytest.mark.parametrize("write", CASES, ids=lambda write: write.__name__)
def test_a_recipe_for_every_format(write: Callable[[Path], str], project: Path) -> None:
    lines, notes = CASES[write]
    name = write(project)

    made = guess(project, name)

    assert f"sources:\n  - path: {name}\n{lines}key: 번호\n" in made.text
    assert (*notes, *sorted(MAPPING, key=MAPPING.index)) == made.explanation
    (project / "recipe.yaml").write_text(made.text, encoding="utf-8")
    loaded = load_recipe(project / "recipe.yaml")
    items = list(read_examples(loaded.recipe, loaded.folder, loaded.project))
    assert [str(n) for n in range(12)] == [item.key for item in items if isinstance(item, Example)]


def test_lists_of_texts_are_conversations(project: Path) -> None:
    talks = [[f"질문 {number}", f"답 {number}"] for number in range(12)]
    (project / "a.json").write_text(json.dumps({"conversations": talks}), encoding="utf-8")
    made = guess(project, "a.json")

    assert (
        "records conversations: a list of 12 records",
        "messages from items, the texts of each list: user and assistant in turn",
    ) == made.explanation
    assert "speakers:\n      - user\n      - assistant\n" in made.text
    (project / "a.yaml").write_text(made.text, encoding="utf-8")
    loaded = load_recipe(project / "a.yaml")
    first = next(read_examples(loaded.recipe, loaded.folder, loaded.project))
    assert isinstance(first, Example)
    assert [("user", "질문 0"), ("assistant", "답 0")] == [
        (turn.role, turn.content) for turn in first.messages
    ]


def test_texts_that_were_read_wrongly_before_are_told_of(project: Path) -> None:
    rows = [{**row, "내용": "안녕하세요 여러분".encode().decode("cp1252", "ignore")} for row in ROWS]
    (project / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert (
        "warning: 내용: found text that looks like UTF-8 read as Windows-1252: "
        "export it again with the right encoding" == guess(project, "a.jsonl").explanation[-1]
    )


def test_a_missing_package_is_named_with_its_extra(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.xlsx").write_bytes(b"PK\x03\x04")
    monkeypatch.setattr("runner.starter.reading.is_installed", lambda module: False)

    with pytest.raises(RunnerError) as error:
        guess(project, "a.xlsx")

    assert str(error.value).endswith(
        "a.xlsx: found no package openpyxl, which reads Excel files. "
        "Install it: pip install 'finetune-runner[excel]'"
    )
