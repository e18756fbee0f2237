"""Texts that are nearly the same are found, and a template's words make none."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.near_texts import NearTexts, common_runs, missed, rows_of_a_band, runs_of, said


def naive_share(one: str, other: str) -> float:
    def runs(text: str) -> set[str]:
        flat = " ".join(text.split()).ljust(4, "\0")
        return {flat[start : start + 4] for start in range(len(flat) - 3)}

    return len(runs(one) & runs(other)) / len(runs(one) | runs(other))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("ab한 ", max_size=40), min_size=1, max_size=6),
    st.text("ab한 ", max_size=40),
    st.sampled_from([0.5, 0.7, 0.8, 0.9, 1.0]),
)
def test_all_pairs_of_short_texts_are_found(texts: list[str], other: str, threshold: float) -> None:
    expected = {
        number: share for number, text in enumerate(texts) if (share := naive_share(text, other)) >= threshold
    }

    assert expected == dict(NearTexts(texts, threshold).near(other))


def test_all_pairs_of_long_texts_are_found() -> None:
    """A thousand pairs, most of them close to the threshold on either side."""
    draw = random.Random(20261123).choice  # noqa: S311 - texts, no secrets
    texts = ["".join(draw("가나다라마바사아자차 abcdefgh") for _ in range(200)) for _ in range(1_000)]
    others = [text[: 180 - number % 40] + text[: 20 + number % 40] for number, text in enumerate(texts)]
    near = NearTexts(texts, 0.8)

    expected = [
        [(number, share)] if (share := naive_share(text, other)) >= 0.8 else []
        for number, (text, other) in enumerate(zip(texts, others, strict=True))
    ]

    assert expected == [list(near.near(other)) for other in others]
    assert 300 < sum(map(len, expected)) < 900


@pytest.mark.parametrize(("threshold", "rows"), [(0.3, 1), (0.5, 2), (0.8, 4), (0.9, 6), (1.0, 42)])
def test_hardly_a_pair_at_the_threshold_has_too_few_bands_in_common(threshold: float, rows: int) -> None:
    draw = random.Random(20261123)  # noqa: S311 - a simulation
    n_bands = 128 // rows
    drawn = [sum(draw.random() < threshold**rows for _ in range(n_bands)) for _ in range(2_000)]

    assert rows == rows_of_a_band(threshold)
    assert missed(threshold, rows) <= 1e-4
    assert 0 == sum(met < 3 for met in drawn)


def test_pairs_far_below_the_threshold_are_hardly_looked_at() -> None:
    assert [0.0022, 0.0479] == [round(1 - missed(share, 4), 4) for share in (0.3, 0.4)]


def test_texts_are_signed_alike_by_every_version() -> None:
    """Other signatures would miss other pairs, and leave other examples out of validation."""
    signature = NearTexts([], 0.8).sign("환불은 언제까지 되나요? Within 14 days.")

    assert [1012414341, 450881818, 636807304, 45542231] == list(signature[:4])


def test_what_is_compared_is_counted() -> None:
    """A quarter for each band, four for each signature, and the runs of what is compared in full."""
    near = NearTexts(["환불 규정은?", "환불 규정은?", "배송은 언제 되나요?"], 0.8)

    assert [(0, 1.0), (1, 1.0)] == list(near.near("환불 규정은?"))
    assert 2 * (8 + 4 + 4) == near.n_steps


def test_case_width_and_white_space_do_not_count() -> None:
    assert [(0, 1.0)] == list(NearTexts(["ＡＢＣ 환불  규정"], 1.0).near("abc 환불\n규정 "))


def test_a_text_of_any_length_has_runs() -> None:
    assert [1, 1, 1, 2, 2] == [len(runs_of(text)) for text in ("", "가", "가나다라", "가나다라마", "a😀bc")]


def test_the_words_of_a_template_do_not_make_texts_near() -> None:
    words = "다음 질문에 한 문장으로 공손하게 답해 주세요. 모르면 모른다고 말해 주세요. 질문: "
    texts = [words + question for question in ("환불은?", "배송은?", "휴일은?", "요금은?")]

    assert [0, 1, 2, 3] == sorted(number for number, _ in NearTexts(texts, 0.6).near(f"{words}점검은?"))
    assert [] == list(NearTexts(texts, 0.6, common_runs(texts)).near(f"{words}점검은?"))
    assert [(0, 1.0)] == list(NearTexts(texts, 0.6, common_runs(texts)).near(f"{words}환불은?"))


def test_two_texts_alone_have_no_common_words() -> None:
    assert frozenset() == common_runs(["환불 규정은?", "환불 규정은?"])


def test_instructions_are_not_compared() -> None:
    turns = [("system", "짧게."), ("developer", "공손히."), ("user", "언제?"), ("assistant", "9시.")]

    assert "언제?\n9시." == said(turns)
