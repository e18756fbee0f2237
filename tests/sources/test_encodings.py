"""Encodings are found by mark, or by every byte fitting."""

import io
from functools import partial

import pytest

from runner.sources.encodings import detect_encoding
from tests.sources.conftest import Read

TEXT = "제목,본문\n연동,안녕하세요 여러분\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp949", "cp949"),
        ("euc-kr", "cp949"),
        ("utf-32", "utf-32"),
    ],
)
def test_the_encoding_of_a_file_is_found(encoding: str, found: str, read: Read) -> None:
    (read.folder / "a.csv").write_bytes(TEXT.encode(encoding))

    assert found == detect_encoding(partial(io.BytesIO, TEXT.encode(encoding)))
    assert [{"제목": "연동", "본문": "안녕하세요 여러분"}] == read.records(
        {"path": "a.csv", "encoding": "auto"}
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_two_bytes_a_character_without_a_mark(encoding: str, read: Read) -> None:
    """As UTF-8 the ASCII of it would be text full of zeros, as CP949 even the Korean."""
    (read.folder / "a.csv").write_bytes(TEXT.encode(encoding))

    assert (
        f"a.csv: found {encoding.upper()} without a byte order mark, expected utf-8 text. "
        f"Set `encoding: {encoding}` on this source." == read.problem({"path": "a.csv"})
    )
    for stated in ("auto", encoding):
        assert [{"제목": "연동", "본문": "안녕하세요 여러분"}] == read.records(
            {"path": "a.csv", "encoding": stated}
        )


@pytest.mark.parametrize("text", ["id,body\r\n0,\0,0\r\n", "a\0b\n" * 9, "제목\0\n"])
def test_zeros_in_utf_8_do_not_make_it_wide(text: str) -> None:
    """Each of these bytes is text as UTF-16 as well: Chinese, with a comma or two."""
    assert "utf-8" == detect_encoding(partial(io.BytesIO, text.encode()))


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf_16(mark: bytes, read: Read) -> None:
    name = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    (read.folder / "a.csv").write_bytes(mark + "a\n가\n".encode(name))

    assert [{"a": "가"}] == read.records({"path": "a.csv", "encoding": "auto"})


def test_the_last_byte_decides(read: Read) -> None:
    """A sample of the beginning would take the file for UTF-8."""
    (read.folder / "a.csv").write_bytes(b"a\n" + ("x" * 999 + "\n").encode() * 1_400 + "가\n".encode("cp949"))

    assert {"a": "가"} == read.records({"path": "a.csv", "encoding": "auto"})[-1]


def test_a_file_in_no_known_encoding_is_named(read: Read) -> None:
    (read.folder / "a.csv").write_bytes(b"a\nb\n\xe9t\xe9 \xff\n")

    assert (
        "a.csv:3: found bytes that are neither utf-8 nor cp949 text (as utf-8 they end at byte 4 of "
        "the file), "
        "expected one of them. Set `encoding` on this source, or save the file as UTF-8."
        == read.problem({"path": "a.csv", "encoding": "auto"})
    )
