"""Intervals and tests by hand, and against SciPy."""

import math
import random
from statistics import fmean, stdev

import pytest

from runner.evaluation.statistics import (
    Interval,
    mean_interval,
    pairs_needed,
    percentile,
    score_interval,
    sign_test,
    student_t,
    visible_difference,
)


def test_equal_values_have_no_spread() -> None:
    assert Interval(mean=0.25, low=0.25, high=0.25, n=4) == mean_interval([0.25] * 4)
    assert mean_interval([]) is None


def test_an_interval_is_rounded_as_a_whole() -> None:
    exact = Interval(mean=0.648811, low=2.8e-17, high=0.789545, n=10)

    assert Interval(mean=0.6488, low=0.0, high=0.7895, n=10) == exact.rounded(4)


def test_equal_values_and_seed_give_equal_numbers_everywhere() -> None:
    """The very digits: Python promises the sequence of `random()`."""
    values = [0.0, 0.5, 1.0, 1.0, 0.25, 0.75, 0.0, 1.0]

    assert Interval(mean=0.5625, low=0.1875, high=0.90625, n=8) == mean_interval(values)
    assert mean_interval(values) == mean_interval(values)


def test_the_interval_of_few_values_is_wider_than_plain_percentiles() -> None:
    """Of 300 draws of 8 values the interval holds the mean about 95 times in a hundred."""
    draw = random.Random(1)
    held = 0
    for _ in range(300):
        found = mean_interval([draw.gauss(0, 1) for _ in range(8)])
        assert found is not None
        held += found.low <= 0 <= found.high

    assert 0.92 <= held / 300 <= 0.98


@pytest.mark.parametrize(("right", "n"), [(0, 40), (30, 40), (2, 2), (1, 3)])
def test_yes_or_no_has_wilsons_interval(right: int, n: int) -> None:
    """Nothing of 40 is no proof of nothing."""
    from scipy.stats import binomtest

    expected = binomtest(right, n).proportion_ci(method="wilson")
    found = score_interval([1.0] * right + [0.0] * (n - right))

    assert found is not None
    assert (right / n, n) == (found.mean, found.n)
    assert (expected.low, expected.high) == pytest.approx((found.low, found.high), abs=1e-9)


def test_other_scores_have_the_bootstraps_interval() -> None:
    values = [0.5, 0.25, 1.0, 0.0]

    assert mean_interval(values) == score_interval(values)
    assert score_interval([]) is None


def test_the_sign_test_counts_by_hand() -> None:
    """Six of six: two of the 64 ways to fall are this uneven."""
    assert 2 / 64 == sign_test(6, 0) == sign_test(0, 6)
    assert 1.0 == sign_test(3, 3) == sign_test(0, 0)


def test_it_is_said_from_how_many_pairs_a_difference_shows() -> None:
    differences = [0.1, 0.3, -0.1, 0.1]

    assert 15 == pairs_needed([0.1, 0.3, -0.1, 0.1, 0.1, 0.1, -0.1, 0.1, 0.3, 0.1] * 2)
    assert 0.3283 == round(visible_difference(differences) or 0, 4)
    assert pairs_needed([0.0, 0.0]) is pairs_needed([1.0]) is None


def test_percentiles_are_values_that_were_measured() -> None:
    assert (2.0, 4.0, None) == (
        percentile([4, 1, 3, 2], 0.5),
        percentile([4, 1, 3, 2], 0.95),
        percentile([], 0.5),
    )


@pytest.mark.long
def test_scipy_agrees() -> None:
    """McNemar's exact test is the binomial test of the pairs that differ."""
    from scipy.stats import binomtest, bootstrap, nct, t

    for wins, losses in [(6, 0), (10, 3), (57, 41), (400, 350)]:
        assert pytest.approx(binomtest(wins, wins + losses).pvalue) == sign_test(wins, losses)
    for freedom in (5, 6, 20, 200):
        assert pytest.approx(t.ppf(0.975, freedom), rel=1e-3) == student_t(freedom)
    draw = random.Random(3)
    values = [draw.random() for _ in range(200)]
    found = mean_interval(values)
    theirs = bootstrap([values], lambda x, axis: x.mean(axis=axis), method="percentile", rng=1)
    assert found is not None
    assert pytest.approx(theirs.confidence_interval.low, abs=0.005) == found.low
    assert pytest.approx(theirs.confidence_interval.high, abs=0.005) == found.high
    differences = [0.1, 0.3, -0.1, 0.1, 0.1, 0.1, -0.1, 0.1, 0.3, 0.1] * 20
    needed = pairs_needed(differences)
    assert needed is not None
    reach = fmean(differences) / stdev(differences) * math.sqrt(needed)
    assert pytest.approx(0.8, abs=0.03) == 1 - nct.cdf(t.ppf(0.975, needed - 1), needed - 1, reach)
