"""Excel: one sheet, header first, cells as values with one form."""

import warnings
import zipfile
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest

from runner.project import Grants
from tests.sources.conftest import Read

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed (extra `excel`)")

SOURCE = {"path": "a.xlsx"}
# Excel knows no time zones.
AT = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001
DAY = datetime(2026, 3, 1)  # noqa: DTZ001


def write(folder: Path, *rows: tuple[Any, ...], **sheets: list[tuple[Any, ...]]) -> Any:
    book = openpyxl.Workbook()
    if rows:
        book.active.title = "Data"
        for row in rows:
            book.active.append(row)
    else:
        book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(folder / "a.xlsx")
    return book


def rewrite(folder: Path, part: str, old: str, new: str) -> None:
    """Change the XML of a part of the file."""
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts[part].decode()
    assert old in text
    parts[part] = text.replace(old, new).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_values(read: Read) -> None:
    book = write(
        read.folder,
        ("제목", "n", "x", "yes", "at", "on", "clock", "empty"),
        ("연동", 3, 2.5, True, AT, DAY, time(7, 5), None),
    )
    book.active["F2"].number_format = "yyyy-mm-dd"
    book.save(read.folder / "a.xlsx")

    assert [
        {
            "제목": "연동",
            "n": 3,
            "x": 2.5,
            "yes": True,
            "at": "2026-03-01T09:30:00",
            "on": "2026-03-01",
            "clock": "07:05:00",
            "empty": None,
        }
    ] == read.records(SOURCE)


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("yyyy-mm-dd", "2026-03-01"),
        ("yyyy-mm-dd h:mm", "2026-03-01T00:00:00"),
        ('yyyy"h"mm', "2026-03-01"),
        ("[$-412]yyyy\\-mm\\-dd", "2026-03-01"),
        ("mm:ss", "2026-03-01T00:00:00"),
    ],
)
def test_a_day_has_no_time_unless_its_format_shows_one(number_format: str, expected: str, read: Read) -> None:
    book = write(read.folder, ("at",), (DAY,))
    book.active["A2"].number_format = number_format
    book.save(read.folder / "a.xlsx")

    assert [{"at": expected}] == read.records(SOURCE)


def test_empty_rows_are_counted_and_merged_cells_stand_at_their_start(read: Read) -> None:
    book = write(read.folder, (), ("a", "b"), (1, 2), (), (3, 4), (5, None))
    book.active.merge_cells("A6:B6")
    book.save(read.folder / "a.xlsx")

    assert [{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5, "b": None}] == read.records(SOURCE)
    assert [("a.xlsx", 1), ("a.xlsx", 3), ("a.xlsx", 4)] == read.rows(SOURCE)


def test_a_formula_gives_its_computed_value(read: Read) -> None:
    write(read.folder, ("a", "b"), (1, "=A2+1"))
    rewrite(read.folder, "xl/worksheets/sheet1.xml", "<f>A2+1</f><v></v>", "<f>A2+1</f><v>2</v>")

    assert [{"a": 1, "b": 2}] == read.records(SOURCE)


def test_what_a_file_says_of_its_size_is_not_believed(read: Read) -> None:
    write(read.folder, ("a",), (1,), (2,))
    rewrite(read.folder, "xl/worksheets/sheet1.xml", 'ref="A1:A3"', 'ref="A1:A1"')

    assert [{"a": 1}, {"a": 2}] == read.records(SOURCE)


def test_a_sheet_is_chosen_by_name(read: Read) -> None:
    write(read.folder, 질문=[("a",), (1,)], Other=[("a",), (2,)])

    assert [{"a": 2}] == read.records({**SOURCE, "sheet": "Other"})
    assert "a.xlsx: found 2 sheets ('질문', 'Other'), expected one. Set `sheet`." == read.problem(SOURCE)
    assert (
        "a.xlsx: `sheet`: found no 'Othr', expected a sheet of the file. Did you mean 'Other'?"
        == read.problem({**SOURCE, "sheet": "Othr"})
    )


def test_headers_and_cells_that_cannot_be_used(read: Read) -> None:
    write(
        read.folder,
        bad=[("a", None, "a"), (1, 2, 3)],
        cells=[("a", "b"), ("#N/A", 1), (1, 2, "note"), (3, 4)],
    )
    book = openpyxl.load_workbook(read.folder / "a.xlsx")
    book["cells"]["A2"].data_type = "e"
    book.save(read.folder / "a.xlsx")

    assert [
        "a.xlsx: found no name in column 2 of the header, expected one. Name it, or remove it.",
        "a.xlsx: found the column 'a' twice in the header, expected each once. Rename one.",
    ] == read.problems({**SOURCE, "sheet": "bad"})
    assert [
        "a.xlsx: row 1: column 'a': found the error '#N/A', expected a value. Repair the formula.",
        "a.xlsx: row 2: found 'note' in column 3, beyond the 2 of the header, expected no more. "
        "Name the column, or clear the cell.",
    ] == read.problems({**SOURCE, "sheet": "cells"})


def test_a_sheet_without_rows_has_no_records(read: Read) -> None:
    write(read.folder, Empty=[])

    assert [] == read.records(SOURCE)


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04" + b"\0" * 50])
def test_a_file_that_is_no_archive(content: bytes, read: Read) -> None:
    (read.folder / "a.xlsx").write_bytes(content)

    assert (
        "a.xlsx: found a file that is no zip archive (File is not a zip file), expected one. "
        "Copy or download it again." == read.problem(SOURCE)
    )


def test_an_archive_that_is_no_workbook(read: Read) -> None:
    with zipfile.ZipFile(read.folder / "a.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")

    assert (
        "a.xlsx: found a file that is no sound Excel file (\"There is no item named '[Content_Types].xml' in "
        'the archive"), expected one. Save it again.' == read.problem(SOURCE)
    )


def test_a_zip_bomb_is_refused_before_it_is_unpacked(read: Read) -> None:
    write(read.folder, ("a",), (1,))
    with zipfile.ZipFile(read.folder / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"\0" * (100 << 20))
    size = (read.folder / "a.xlsx").stat().st_size

    assert (
        f"a.xlsx: found more than 67108864 bytes unpacked from {size}, expected no more (the limit). "
        "If the file is meant to be so large, allow it with --max-unpacked." == read.problem(SOURCE)
    )

    read.grants = Grants(max_unpacked_bytes=1 << 30)
    assert [{"a": 1}] == read.records(SOURCE)


def test_xml_entities_are_not_expanded(read: Read) -> None:
    """A few lines of such XML stand for gigabytes of text."""
    pytest.importorskip("defusedxml", reason="defusedxml is not installed (extra `excel`)")
    write(read.folder, ("a",), ("x",))
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    rewrite(read.folder, "xl/worksheets/sheet1.xml", "<worksheet", f"{bomb}<worksheet")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = read.problem(SOURCE)

    assert problem.startswith("a.xlsx: found a file that is no sound Excel file (EntitiesForbidden(")
