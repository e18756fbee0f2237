"""Two candidates on the same questions: who is better, by which test, and where."""

from dataclasses import replace

import pytest

from runner.evaluation.comparison import Slice, compare, slices
from runner.evaluation.statistics import score_interval
from tests.evaluation.examples import item


def test_scores_of_0_and_1_are_tested_by_mcnemar() -> None:
    found = compare("exact", "tuned", "base", [(1.0, 0.0)] * 8 + [(1.0, 1.0)] * 4)

    assert (8, 0, 4, "McNemar", 2 / 2**8, "better") == (
        found.wins, found.losses, found.ties, found.test, found.p, found.verdict,
    )  # fmt: skip
    assert found.difference is not None
    assert (8 / 12, 12) == (found.difference.mean, found.difference.n)


def test_other_scores_are_tested_by_their_signs_and_rounding_decides_nothing() -> None:
    found = compare("rouge", "tuned", "base", [(0.3, 0.5), (0.1 + 0.2, 0.3), (0.2, 0.9)])

    assert (0, 2, 1, "sign test", 0.5) == (found.wins, found.losses, found.ties, found.test, found.p)


def test_a_difference_is_told_only_where_its_whole_interval_is_on_one_side() -> None:
    assert "worse" == compare("s", "a", "b", [(0.0, 0.5), (0.1, 0.8)] * 10).verdict
    assert "unclear" == compare("s", "a", "b", [(0.0, 0.5), (0.5, 0.0)] * 10).verdict


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            [(1.0, 0.0)] * 3,
            "the 95 % interval alone tells a difference, McNemar's test does not",
        ),
        (
            [(0.5, 0.4)] * 12 + [(0.0, 0.9)],
            "the sign test alone tells a difference, the 95 % interval does not",
        ),
        ([(1.0, 0.0)] * 8, ""),
        ([(1.0, 0.0), (0.0, 1.0)], ""),
        ([], ""),
    ],
)
def test_it_is_said_which_of_interval_and_test_tells_a_difference(
    pairs: list[tuple[float, float]], said: str
) -> None:
    found = compare("s", "a", "b", pairs)

    assert said == found.disagreement
    assert not said or found.verdict == "unclear"


def test_nothing_in_common_is_no_difference() -> None:
    found = compare("s", "a", "b", [])

    assert (None, 0, 0, 0, 1.0, "unclear", None, None) == (
        found.difference, found.wins, found.losses, found.ties, found.p, found.verdict,
        found.visible, found.pairs_needed,
    )  # fmt: skip


def test_slices_are_by_the_values_of_a_field_and_failed_answers_stay_out() -> None:
    asked = [
        replace(item(str(n), "q", "a"), fields={"topic": topic})
        for n, topic in enumerate(["요금", "요금", None, 3])
    ]
    scores = {"tuned": [{"s": 1.0}, {}, {"s": 0.5}, {"s": 0.25}]}

    def expected(value: str, mean: float) -> Slice:
        interval = score_interval([mean])
        assert interval is not None
        return Slice(field="topic", value=value, candidate="tuned", grader="s", score=interval)

    assert [expected("3", 0.25), expected("none", 0.5), expected("요금", 1.0)] == slices(
        ["topic"], asked, scores, ["s"]
    )


def test_statsmodels_agrees_about_mcnemar() -> None:
    """The exact test over the same 2 x 2 table."""
    tables = pytest.importorskip(
        "statsmodels.stats.contingency_tables", reason="statsmodels is not installed"
    )

    for wins, losses, ties in [(8, 0, 4), (10, 3, 20), (57, 41, 2), (5, 5, 5)]:
        pairs = [(1.0, 0.0)] * wins + [(0.0, 1.0)] * losses + [(1.0, 1.0)] * ties
        theirs = tables.mcnemar([[ties, wins], [losses, 0]], exact=True)
        assert pytest.approx(theirs.pvalue) == compare("exact", "a", "b", pairs).p
