"""Which column is the question and which the answer."""

import unicodedata

import pytest

from runner.starter.columns import Column, find_parts, reason

LONG = "a text that is much longer than all of the others"


def column(name: str, *texts: str) -> Column:
    return Column(name=name, path=name, count=len(texts), texts=texts)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("질문", "답"),
        ("질의", "대답"),
        ("문제", "정답"),
        ("입력", "출력"),
        ("프롬프트", "응답"),
        ("Question", " Answer "),
        (unicodedata.normalize("NFD", "질문"), unicodedata.normalize("NFD", "답변")),
    ],
)
def test_names_tell_the_parts_whatever_their_length_and_order(question: str, answer: str) -> None:
    asked, told = column(question, LONG), column(answer, "short")
    found = [find_parts(columns, None) for columns in ([asked, told], [told, asked])]

    assert [(asked, told)] * 2 == [(parts.question, parts.answer) for parts in found if parts]
    assert ["named like a question", "named like an answer"] == [
        reason("question", asked),
        reason("answer", told),
    ]


def test_a_column_named_like_a_question_is_no_answer_for_being_long() -> None:
    asked, other = column("질문", LONG), column("메모", "short")
    parts = find_parts([asked, other], None)

    assert parts
    assert (asked, other) == (parts.question, parts.answer)


def test_without_a_telling_name_the_longest_text_is_the_answer() -> None:
    brief, long = column("x", "brief"), column("y", LONG)
    parts = find_parts([long, brief], None)

    assert parts
    assert (brief, long) == (parts.question, parts.answer)
    assert ["the text that differs most", "the longest text"] == [
        reason("question", brief),
        reason("answer", long),
    ]


def test_one_text_is_not_enough() -> None:
    assert find_parts([column("x", "brief")], None) is None
