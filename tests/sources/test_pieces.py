"""Pieces of a file, read apart, have its records; what cannot be cut is told from what can."""

import io
import json
from pathlib import Path

import pytest

from runner.errors import InvalidInputError
from runner.issues import Issue
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.pieces import MAX_PIECE_BYTES, Piece, UncuttableError, cut_array, cut_delimited, cut_lines
from runner.sources.read import cut_file, read_file, read_piece


def pieces(tmp_path: Path, name: str, content: bytes, source: Source, size_bytes: int = 100) -> list[Piece]:
    (tmp_path / name).write_bytes(content)
    return list(cut_file(tmp_path / name, source, size_bytes))


def rows_of(cut: list[Piece], name: str, source: Source) -> list[tuple[int, dict[str, object]]]:
    found, before = [], 0
    for piece in cut:
        read = read_piece(piece, source, name)
        assert read is not None
        found += [(before + record.row, record.data) for record in read[0]]
        before += read[1]
    return found


LINES = "".join(
    json.dumps({"n": number, "t": "가" * (number % 7)}) + "\n" * (1 + number % 2) for number in range(90)
)
NESTED = [{"id": number, "inner": [{"x": 1}, {"x": "},{"}]} for number in range(60)]
CELLS = "id,text\r\n" + "".join(f'{number},"a ""b""\r\n{number}, c"\r\n\r\n' for number in range(60))


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("a.jsonl", LINES.encode(), Source(path="a.jsonl")),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES.encode(), Source(path="a.jsonl")),
        ("a.jsonl", LINES.rstrip().encode(), Source(path="a.jsonl")),
        ("a.json", json.dumps(NESTED).encode(), Source(path="a.json")),
        ("a.json", json.dumps(NESTED, indent=2).encode(), Source(path="a.json")),
        ("a.json", json.dumps({"a": {"b": NESTED}, "c": []}).encode(), Source(path="a.json", records="a.b")),
        ("a.csv", CELLS.encode(), Source(path="a.csv")),
        ("a.csv", CELLS.replace("c", "다").encode("cp949"), Source(path="a.csv", encoding="cp949")),
        ("a.tsv", b"\xef\xbb\xbf\r\n" + CELLS.replace(",", "\t").encode(), Source(path="a.tsv")),
    ],
)
def test_records_and_rows_are_those_of_the_file(
    tmp_path: Path, name: str, content: bytes, source: Source
) -> None:
    cut = pieces(tmp_path, name, content, source)
    whole = [
        item for item in read_file(tmp_path / name, source, name, Grants()) if not isinstance(item, Issue)
    ]

    assert len(cut) > 5
    assert [(record.row, record.data) for record in whole] == rows_of(cut, name, source)


def test_a_change_moves_few_cuts() -> None:
    """A record more at the front leaves nearly all the pieces as they were."""
    lines = "".join(json.dumps({"n": number**5 % 7919}) + "\n" for number in range(2_000)).encode()
    before = {piece.content for piece in cut_lines(io.BytesIO(lines), Source(path="x"), 2_000)}
    after = {piece.content for piece in cut_lines(io.BytesIO(b'{"n": 1}\n' + lines), Source(path="x"), 2_000)}

    assert len(before) > 10
    assert len(before - after) <= 2


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("a.jsonl", b"x" * 2 * MAX_PIECE_BYTES, Source(path="a.jsonl")),
        ("a.jsonl", "가".encode("utf-16"), Source(path="a.jsonl")),
        ("a.jsonl", b"{}\n", Source(path="a.jsonl", encoding="utf-16")),
        ("a.json", b"[1" + b",1" * 200 + b"]", Source(path="a.json")),
        ("a.json", b'{"a":[' + b"{}," * 200 + b"]}", Source(path="a.json", records="b")),
    ],
)
def test_what_cannot_be_cut(tmp_path: Path, name: str, content: bytes, source: Source) -> None:
    with pytest.raises(UncuttableError):
        pieces(tmp_path, name, content, source)


def test_a_small_file_is_one_piece(tmp_path: Path) -> None:
    cut = pieces(
        tmp_path, "a.json", b'{"x": 1, "list": [{"a": 1}]}', Source(path="a.json", records="list"), 1 << 20
    )

    assert [(1, {"a": 1})] == rows_of(cut, "a.json", Source(path="a.json", records="list"))


def test_a_header_that_is_not_the_first_line_fails_its_proof() -> None:
    """The quote inside a bare cell makes two rows look like one."""
    content = b'5" pipe,b\r\n7" pipe,2\r\n' + b"x,1\r\n" * 60
    first, *_ = cut_delimited(io.BytesIO(content), Source(path="a.csv"), 100)

    assert b'5" pipe,b\r\n7" pipe,2\r\n' == first.proof
    assert read_piece(first, Source(path="a.csv"), "a.csv") is None


def test_a_way_to_another_list_fails_its_proof() -> None:
    items = b", ".join([b'{"a": 1}'] * 60)
    content = b'{"z": {"list": [' + items + b']}, "list": [' + items + b"]}"
    source = Source(path="a.json", records="list")

    first, *_ = cut_array(io.BytesIO(content), source, 100)

    assert b'{"z": {"list": [{"probe":true}]}' == first.proof
    with pytest.raises(InvalidInputError):
        read_piece(first, source, "a.json")


def test_a_cut_inside_a_record_is_noticed() -> None:
    """The records inside a record begin with the same key as itself."""
    records = [{"id": number, "inner": [{"id": 1}] * 40} for number in range(20)]
    cut = list(cut_array(io.BytesIO(json.dumps(records).encode()), Source(path="a.json"), 100))

    with pytest.raises(InvalidInputError):
        read_piece(cut[0], Source(path="a.json"), "a.json")
