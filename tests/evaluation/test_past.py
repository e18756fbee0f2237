"""Answers are kept by their hash, and read only unchanged."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.evaluation.past import (
    Past,
    compare_with_past,
    keep_answers,
    not_comparable,
    read_past,
    unpaired_difference,
)
from runner.evaluation.statistics import Interval, score_interval
from tests.evaluation.evaluations import GRADER, evaluation


def test_answers_come_back_question_by_question(tmp_path: Path) -> None:
    found = evaluation(tuned=[1.0, None], base=[0.0, 0.5])
    path = keep_answers(found, tmp_path)

    assert f"{found.locked().answers}.jsonl" == path.name
    assert {"0": {"tuned": {GRADER: 1.0}, "base": {GRADER: 0.0}}, "1": {"base": {GRADER: 0.5}}} == (
        read_past(found.locked(), tmp_path).scores
    )


def test_changed_or_missing_answers_are_not_believed(tmp_path: Path) -> None:
    locked = evaluation(tuned=[1.0]).locked()
    without = read_past(locked, tmp_path)
    path = keep_answers(evaluation(tuned=[1.0]), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"1", b"0"))

    assert Past(locked=locked) == without == read_past(locked, tmp_path)


def test_the_past_is_compared_where_both_have_a_score(tmp_path: Path) -> None:
    before = evaluation(tuned=[0.0, 0.0, None])
    keep_answers(before, tmp_path)
    past = read_past(before.locked(), tmp_path)
    found = compare_with_past(evaluation(tuned=[1.0, 0.0, 1.0]), "tuned", past, GRADER)

    assert found is not None
    assert ("tuned", "locked", 1, 0, 1) == (found.one, found.other, found.wins, found.losses, found.ties)
    assert compare_with_past(evaluation(tuned=[1.0]), "tuned", Past(locked=before.locked()), GRADER) is None


def test_a_set_of_another_size_says_its_size() -> None:
    one, other = evaluation(tuned=[1.0]).locked(), evaluation(tuned=[1.0, 1.0]).locked()

    assert not_comparable(one, one) is None
    assert (
        "they asked different questions "
        f"(hashes {one.questions[:12]} and {other.questions[:12]}, 1 and 2)" == not_comparable(one, other)
    )


def test_answers_that_were_cut_elsewhere_do_not_compare() -> None:
    one = evaluation(tuned=[1.0]).locked()

    assert "their answers were cut off at 512 and 30 tokens" == not_comparable(
        one, replace(one, max_tokens=30)
    )


def test_two_means_differ_with_the_root_of_both_squares() -> None:
    one = Interval(mean=0.75, low=0.5, high=1.0, n=12)
    other = Interval(mean=0.25, low=0.0, high=0.5, n=9)
    half = 0.125**0.5

    assert Interval(mean=0.5, low=0.5 - half, high=0.5 + half, n=9) == unpaired_difference(one, other)


@pytest.mark.parametrize("right", [0, 7, 20])
def test_means_differ_by_no_more_than_scores_can(right: int) -> None:
    all_right, some = (score_interval([1.0] * n + [0.0] * (20 - n)) for n in (20, right))
    assert all_right is not None
    assert some is not None
    found, back = unpaired_difference(all_right, some), unpaired_difference(some, all_right)

    assert -1.0 <= found.low <= found.mean <= found.high <= 1.0
    assert (-found.high, -found.low) == pytest.approx((back.low, back.high))


@pytest.mark.parametrize("counts", [(20, 0, 20, 20), (9, 5, 12, 31), (1, 30, 40, 40)])
def test_statsmodels_agrees_about_two_shares(counts: tuple[int, int, int, int]) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion", reason="statsmodels is not installed")
    x, y, n, m = counts
    one, other = score_interval([1.0] * x + [0.0] * (n - x)), score_interval([1.0] * y + [0.0] * (m - y))
    assert one is not None
    assert other is not None
    found = unpaired_difference(one, other)

    expected = proportion.confint_proportions_2indep(x, n, y, m, method="newcomb")
    assert pytest.approx(expected, abs=1e-9) == (found.low, found.high)
