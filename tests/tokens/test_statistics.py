"""Statistics of token counts as whole values."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from runner.tokens.statistics import MAX_BINS, Bin, TokenStatistics, token_statistics


def test_a_few_examples() -> None:
    found = token_statistics([7, 12, 9, 31], roles={"user": 20, "assistant": 30}, limit=30)

    assert found == TokenStatistics(
        n_examples=4,
        n_tokens=59,
        minimum=7,
        median=9,
        p95=31,
        maximum=31,
        bins=(
            Bin(low=5, high=9, n_examples=2),
            Bin(low=10, high=14, n_examples=1),
            Bin(low=15, high=19, n_examples=0),
            Bin(low=20, high=24, n_examples=0),
            Bin(low=25, high=29, n_examples=0),
            Bin(low=30, high=34, n_examples=1),
        ),
        roles={"user": 20, "assistant": 30},
        limit=30,
        over=1,
        over_lines=(4,),
    )
    assert 9 == found.format_tokens


def test_one_very_long_example_stands_in_an_open_bin() -> None:
    found = token_statistics(array("I", [10] * 199 + [1_000_000]))

    assert (Bin(low=10, high=10, n_examples=199), Bin(low=11, high=None, n_examples=1)) == found.bins


def test_no_example_has_no_bins() -> None:
    empty = token_statistics([])

    assert (0, 0, 0, 0, 0, ()) == (
        empty.n_examples,
        empty.n_tokens,
        empty.minimum,
        empty.median,
        empty.maximum,
        empty.bins,
    )


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=300))
def test_every_example_is_in_one_bin(lengths: list[int]) -> None:
    bins = token_statistics(lengths).bins

    assert len(lengths) == sum(each.n_examples for each in bins)
    assert len(bins) <= MAX_BINS + 1
    for each in bins:
        within = [n for n in lengths if each.low <= n and (each.high is None or n <= each.high)]
        assert each.n_examples == len(within)
