"""The same records come out of every format."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.errors import InvalidInputError
from runner.recipe.model import Source
from runner.sources import delimited, json_array, json_lines
from runner.sources.base import Format, Record
from runner.sources.lines import bounded_lines
from runner.sources.strict_json import MAX_DEPTH, MAX_DIGITS, StrictDecoder

# No lone surrogates: they are not text. Everything else, line and paragraph separators and NUL included.
adversarial = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\u2028\u2029\x85\x0b\x0c\x1c\0\r\n\t\"',;{}\\\ufeff"),
    max_size=40,
)
tables = st.lists(st.fixed_dictionaries({"title": adversarial, "본문": adversarial}), max_size=5)


def records(module: Format, text: str, newline: str, source: Source) -> list[dict[str, Any]]:
    result = []
    for item in module.read(io.StringIO(text, newline=newline), source, "data"):
        assert isinstance(item, Record), item
        result.append(item.data)
    return result


def as_delimited(rows: list[dict[str, str]], delimiter: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["title", "본문"], delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


@given(rows=tables, ascii_only=st.booleans())
@example(rows=[{"title": "a\u2028b", "본문": "\0"}], ascii_only=False)
def test_adversarial_text_survives_every_format(rows: list[dict[str, str]], ascii_only: bool) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    array = json.dumps(rows, ensure_ascii=ascii_only)

    assert rows == records(json_lines, lines, "\n", Source(path="x"))
    assert rows == records(json_array, array, "\n", Source(path="x"))
    assert rows == records(delimited, as_delimited(rows, ","), "", Source(path="x", format="csv"))
    assert rows == records(delimited, as_delimited(rows, "\t"), "", Source(path="x", format="tsv"))


def test_rows_keep_their_numbers_past_refused_ones() -> None:
    text = '{"a": 1}\n[]\n\n{"a": 2}\n'

    assert [1, 4] == [
        item.row
        for item in json_lines.read(io.StringIO(text, newline="\n"), Source(path="x"), "data")
        if isinstance(item, Record)
    ]


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(InvalidInputError) as error:
        list(bounded_lines(io.StringIO("a\n" + "x" * 100), "a.jsonl", max_characters=50))

    assert (
        "a.jsonl:2: found a line of more than 50 characters, expected one record per line. "
        "Split it, or set `format`." == str(error.value)
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, 0),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1),
        ("[" + "[]," * 500 + "[]]", 0),
        ("9" * MAX_DIGITS, 0),
        ("-" + "9" * MAX_DIGITS, 0),
        ("9" * (MAX_DIGITS + 1), 1),
        (r'"\ud83d\ude00"', 0),
        (r'"\uD83D"', 1),
        (r'{"\udc00": "\udc00"}', 2),
        ('{"a": {"b": 1, "b": 2}}', 1),
        ("1.7e308", 0),
        ("-1e309", 1),
    ],
)
def test_limits_of_strict_json(text: str, problems: int) -> None:
    decoder = StrictDecoder()

    decoder.decode(text, 0)

    assert problems == len(decoder.problems)
