"""What scores of few questions can say: intervals, tests, and how many questions would be needed."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev

SEED = 20261123
RESAMPLES = 5_000
# Fewer resamples for long lists: their intervals are narrow, and the work stays within a second or two.
MAX_DRAWS, MIN_RESAMPLES = 5_000_000, 1_000
CONFIDENCE = 0.95
# Below this probability a split of wins and losses is not taken for chance.
SIGNIFICANT = 1 - CONFIDENCE
POWER = 0.8
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % interval; `n` is the number of values."""

    mean: float
    low: float
    high: float
    n: int

    def rounded(self, digits: int) -> "Interval":
        """The same with fewer digits."""
        return replace(
            self, mean=round(self.mean, digits), low=round(self.low, digits), high=round(self.high, digits)
        )


def mean_interval(values: Sequence[float], seed: int = SEED) -> Interval | None:
    """The mean and its expanded percentile bootstrap interval; None without values.

    Given the differences of two systems on the same questions, this is the paired bootstrap: Koehn,
    Statistical Significance Tests for Machine Translation Evaluation (2004). It is expanded because plain
    percentiles are too narrow for few values: Hesterberg, What Teachers Should Know About the Bootstrap,
    section 5.1, https://arxiv.org/abs/1411.5279 (2014). Equal values and seed give equal numbers everywhere:
    Python promises the sequence of `random()`, and of nothing else in its module.
    """
    if not values:
        return None
    n, mean = len(values), fmean(values)
    if min(values) == max(values):
        return Interval(mean=mean, low=mean, high=mean, n=n)
    draw = random.Random(seed).random  # noqa: S311 - not a secret
    resamples = max(MIN_RESAMPLES, min(RESAMPLES, MAX_DRAWS // n))
    means = sorted(math.fsum([values[int(draw() * n)] for _ in range(n)]) / n for _ in range(resamples))
    tail = _NORMAL.cdf(-math.sqrt(n / (n - 1)) * student_t(n - 1))
    low, high = math.floor(tail * resamples), math.ceil((1 - tail) * resamples) - 1
    return Interval(mean=mean, low=means[low], high=means[high], n=n)


def score_interval(values: Sequence[float]) -> Interval | None:
    """The mean of scores and its interval: Wilson's where all are 0 or 1, else `mean_interval`.

    A bootstrap of equal answers has no width, and nothing of 40 is no proof of nothing:
    https://doi.org/10.1080/01621459.1927.10502953 (1927).
    """
    if not values or any(value not in (0.0, 1.0) for value in values):
        return mean_interval(values)
    n, share = len(values), fmean(values)
    z = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(mean=share, low=max(0.0, middle - half), high=min(1.0, middle + half), n=n)


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact probability of a split at least this uneven if neither side were better.

    For scores of 0 and 1 this is McNemar's exact test: https://doi.org/10.1007/BF02295996 (1947).
    """
    n = wins + losses
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    return float(min(1.0, 2 * tail / 2**n))


# With fewer wins and losses no split is told from chance, not even one without a loss.
MIN_DIFFERING = next(n for n in range(1, 100) if sign_test(n, 0) < SIGNIFICANT)


def visible_difference(differences: Sequence[float]) -> float | None:
    """The smallest mean difference that this many pairs would show four times in five; None if unknown.

    The usual formula for paired means, (t(0.975) + z(0.8)) s / √n: Cohen, Statistical Power Analysis (1988).
    """
    n = len(differences)
    return _reach(n) * stdev(differences) / math.sqrt(n) if n >= 2 else None


def pairs_needed(differences: Sequence[float]) -> int | None:
    """From how many pairs the mean difference found here would be seen four times in five; None if never."""
    if len(differences) < 2:
        return None
    difference, spread = abs(fmean(differences)), stdev(differences)
    if difference == 0 or spread == 0:
        return None
    needed = 2
    # Fewer pairs reach less far, so that the number settles after a few rounds.
    for _ in range(20):
        needed = max(2, math.ceil((_reach(needed) * spread / difference) ** 2))
    return needed


def student_t(freedom: int) -> float:
    """The 97.5 % point of Student's t for some degrees of freedom, to 0.1 % from 5 on and too low below.

    The first terms of Fisher's expansion: Abramowitz, Stegun: Handbook (1964), 26.7.5.
    """
    z = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum([z, *(term / math.pow(freedom, power + 1) for power, term in enumerate(terms))])


def _reach(n: int) -> float:
    return student_t(n - 1) + _NORMAL.inv_cdf(POWER)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that a share of all values does not exceed (nearest rank); None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
