"""How long the examples of a file are in tokens, as numbers to show; pure functions of the counts."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

MAX_BINS = 12
# Longer examples than this share of all go into the last bin, which is open, so that one of them does not
# press all others into the first.
SHOWN_SHARE = Fraction(99, 100)
# The first places of examples that are too long.
SHOWN_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Examples of `low` to `high` tokens, both included; without `high` there is no end."""

    low: int
    high: int | None
    n_examples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatistics:
    """Tokens of one file. `n_tokens` is what one epoch trains on; the other numbers are about one example.

    An example with two answers trains on its prompt twice, and is as long as the longer of both. `roles` has
    the tokens of the messages' own text by role; what is left of the total is the chat format's. `over` is
    how many examples are longer than `limit`, which is None where none is known, and `over_lines` are the
    first of their lines in the file.
    """

    n_examples: int
    n_tokens: int
    minimum: int
    median: int
    p95: int
    maximum: int
    bins: tuple[Bin, ...]
    roles: Mapping[str, int]
    limit: int | None = None
    over: int = 0
    over_lines: tuple[int, ...] = ()

    @property
    def format_tokens(self) -> int:
        """Tokens that the chat format adds around the text."""
        return max(0, self.n_tokens - sum(self.roles.values()))


def token_statistics(
    lengths: "Sequence[int] | array[int]",
    *,
    n_tokens: int | None = None,
    roles: Mapping[str, int] | None = None,
    limit: int | None = None,
) -> TokenStatistics:
    """Statistics of examples by their lengths in tokens, in the order of the file's lines.

    The median and the 95th percentile are lengths that occur: the smallest that so many examples do not
    exceed. Without `n_tokens` the sum of the lengths is taken.
    """
    ordered = sorted(lengths)
    over_lines = [
        line for line, length in enumerate(lengths, start=1) if limit is not None and length > limit
    ]
    return TokenStatistics(
        n_examples=len(ordered),
        n_tokens=sum(ordered) if n_tokens is None else n_tokens,
        minimum=ordered[0] if ordered else 0,
        median=_quantile(ordered, Fraction(1, 2)),
        p95=_quantile(ordered, Fraction(95, 100)),
        maximum=ordered[-1] if ordered else 0,
        bins=_bins(ordered),
        roles=dict(roles or {}),
        limit=limit,
        over=len(over_lines),
        over_lines=tuple(over_lines[:SHOWN_LINES]),
    )


def _quantile(ordered: Sequence[int], share: Fraction) -> int:
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0


def _bins(ordered: Sequence[int]) -> tuple[Bin, ...]:
    """At most MAX_BINS bins of one round width, and an open one where the longest lie beyond them."""
    if not ordered:
        return ()
    low, high = ordered[0], _quantile(ordered, SHOWN_SHARE)
    width = _round_width(low, high)
    first, last = low // width, high // width
    counts = [0] * (last - first + 1)
    beyond = 0
    for length in ordered:
        place = length // width - first
        if place < len(counts):
            counts[place] += 1
        else:
            beyond += 1
    bins = [
        Bin(low=(first + place) * width, high=(first + place + 1) * width - 1, n_examples=count)
        for place, count in enumerate(counts)
    ]
    if beyond:
        bins.append(Bin(low=(last + 1) * width, high=None, n_examples=beyond))
    return tuple(bins)


def _round_width(low: int, high: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, … that needs no more than MAX_BINS bins."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            width = digit * power
            if high // width - low // width < MAX_BINS:
                return width
        power *= 10
