"""The nearest training record, in Korean and English, without an analyser."""

import pytest

from runner.evaluation.retrieval import NearestRecords
from tests.evaluation.examples import example

pytest.importorskip("bm25s", reason="needs bm25s")
TRAINING = [
    example("rest", "REST 연동 개요", "모든 REST 호출은 443번 포트로 보냅니다.", row=1),
    example("fee", "요금 안내", "요금은 매월 1일에 청구됩니다.", row=2),
    example("reset", "How do I reset it?", "Hold the blue button for ten seconds.", row=3),
]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("요금이 언제 청구되나요?", "fee"),
        ("포트는 몇 번을 여나요", "rest"),
        ("holding the BLUE buttons", "reset"),
    ],
)
def test_the_record_that_says_it_comes_first(text: str, key: str) -> None:
    assert key == NearestRecords(TRAINING).find(text, 1)[0].example.key


def test_equal_records_come_in_their_order() -> None:
    nearest = NearestRecords([example("a", "same", "text"), example("b", "same", "text")])

    assert ["a", "b"] == [near.example.key for near in nearest.find("same text", 3)]


def test_what_shares_nothing_is_not_near() -> None:
    assert [] == NearestRecords(TRAINING).find("ΩΩΩ", 3)
    assert [] == NearestRecords(TRAINING).find("", 3)
    assert [] == NearestRecords([]).find("REST", 3)


def test_how_much_of_the_text_stands_in_the_record_is_told() -> None:
    assert 1.0 == NearestRecords(TRAINING).find("Hold the blue button", 1)[0].share
