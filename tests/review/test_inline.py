"""Inline differences: by words, and by syllables in Korean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.diff_text import marked_text
from runner.review.inline import inline_diff


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("", "", ""),
        ("same", "same", "same"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("the quick fox", "the slow fox", "the [-quick-]{+slow+} fox"),
        ("step1_a", "step2_a", "[-step1_a-]{+step2_a+}"),
        ("one two three", "one 2 3", "one [-two three-]{+2 3+}"),
        ("결제를 취소합니다.", "결제가 취소됩니다.", "결제[-를-]{+가+} 취소[-합-]{+됩+}니다."),
        (
            "설정을 열고 저장을 누릅니다",
            "설정을 열고 확인을 누릅니다",
            "설정을 열고 [-저장-]{+확인+}을 누릅니다",
        ),
        ("東京都", "京都府", "[-東-]京都{+府+}"),
        ("\u1112\u1161\u11ab", "\u1112\u1161\u11bc", "[-\u1112\u1161\u11ab-]{+\u1112\u1161\u11bc+}"),
        ("e\u0301t", "et", "[-e\u0301t-]{+et+}"),
        ("a\nb\n", "a\nc\n", "a\n[-b-]{+c+}\n"),
    ],
)
def test_what_is_marked(before: str, after: str, marked: str) -> None:
    assert marked == marked_text(inline_diff(before, after))


@given(
    st.text(alphabet="가나다 ab.\n\u0301", max_size=60), st.text(alphabet="가나다 ab.\n\u0301", max_size=60)
)
def test_both_texts_can_be_read_out(before: str, after: str) -> None:
    pieces = inline_diff(before, after)

    assert before == "".join(piece.text for piece in pieces if piece.kind != "added")
    assert after == "".join(piece.text for piece in pieces if piece.kind != "removed")


def test_long_texts_take_no_time() -> None:
    before, after = ("x y " * 20_000) + "end", ("z w " * 20_000) + "end"
    pieces = inline_diff(before, after)

    assert ["removed", "added", "same"] == [piece.kind for piece in pieces]
