"""Repairs touch characters alone: the records are the same but for them."""

import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.checks.characters import ZERO_WIDTH, composed
from runner.dataset.fix_text import CODES, fixed_text

ALL = set(CODES)
# Letters that combine, what is removed, and all that has a meaning in JSON and CSV.
TEXTS = st.text(
    alphabet=st.sampled_from(
        "ae\u0301\u0300\u1109\u1165\u11af가\u200b\ufeff\u00ad\u2060\\\"',;{}[]u0nr \n\r\t\u037e樂"
    )
)


def repaired(text: str) -> str:
    """What should become of the text of a value."""
    return composed(ZERO_WIDTH.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1))
def test_json_values_are_repaired_whether_escaped_or_not(values: list[str]) -> None:
    for ensure_ascii in (True, False):
        text = json.dumps(values, ensure_ascii=ensure_ascii)
        fixed = fixed_text(text, "json", ALL)
        plain = json.loads(fixed)

        assert fixed == fixed_text(fixed, "json", ALL)
        if not ensure_ascii:
            assert [repaired(value) for value in values] == plain
        assert len(values) == len(plain)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_csv_cells_are_repaired_and_rows_stay(cells: list[str], quoting: "csv._QuotingType") -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=quoting)
    writer.writerows([["id", "text"], *([str(number), cell] for number, cell in enumerate(cells))])
    fixed = fixed_text(stream.getvalue(), "csv", ALL)
    rows = list(csv.reader(io.StringIO(fixed, newline=""), strict=True))

    assert [["id", "text"], *([str(number), repaired(cell)] for number, cell in enumerate(cells))] == rows
    assert fixed == fixed_text(fixed, "csv", ALL)


def test_only_what_was_asked_for_is_repaired() -> None:
    text = "cafe\u0301\u200b"

    assert "café\u200b" == fixed_text(text, "csv", {"FT201"})
    assert "cafe\u0301" == fixed_text(text, "csv", {"FT203"})


def test_a_byte_order_mark_stays() -> None:
    assert "\ufeffid,b\r\n" == fixed_text("\ufeffid,\ufeffb\r\n", "csv", ALL)


def test_escapes_that_are_none_stay() -> None:
    r"""In `\\u200b` the backslash is escaped, and what follows is text."""
    assert r'"\\u200b \\r\\n"' == fixed_text(r'"\\u200b \\r\\n"', "json", ALL)
    assert r'" \n\\\n"' == fixed_text(r'"\u200b \r\n\\\r"', "json", ALL)
