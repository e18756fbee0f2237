"""Compares what two candidates scored on the same questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runner.evaluation.items import Item
from runner.evaluation.statistics import (
    SIGNIFICANT,
    Interval,
    mean_interval,
    pairs_needed,
    score_interval,
    sign_test,
    visible_difference,
)

Verdict = Literal["better", "worse", "unclear"]
# Scores that differ by less are equal: libraries round differently in the last digits.
EPSILON = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One candidate against another by one grader, over the questions that both were scored on.

    `test` is McNemar's for scores of 0 and 1, otherwise the sign test; both are exact. `visible` is the
    smallest difference that this many pairs would show four times in five, `pairs_needed` how many it takes
    for the one that was found.
    """

    grader: str
    one: str
    other: str
    difference: Interval | None
    wins: int
    losses: int
    ties: int
    test: Literal["McNemar", "sign test"]
    p: float
    visible: float | None
    pairs_needed: int | None

    @property
    def verdict(self) -> Verdict:
        """Better or worse only where the interval is on one side of zero, and the test tells it from chance.

        Two wins of two have an interval without width; the test knows that they are few.
        """
        if self.difference is None or not (self.interval_tells and self.test_tells):
            return "unclear"
        return "better" if self.difference.low > 0 else "worse"

    @property
    def interval_tells(self) -> bool:
        """Whether the interval of the difference is on one side of zero."""
        return self.difference is not None and (self.difference.low > 0 or self.difference.high < 0)

    @property
    def test_tells(self) -> bool:
        """Whether wins and losses are told from chance."""
        return self.p < SIGNIFICANT

    @property
    def disagreement(self) -> str:
        """Which of interval and test tells a difference where only one does; empty where they agree."""
        if self.difference is None or self.interval_tells == self.test_tells:
            return ""
        interval, test = "the 95 % interval", {"McNemar": "McNemar's test"}.get(self.test, f"the {self.test}")
        one, other = (interval, test) if self.interval_tells else (test, interval)
        return f"{one} alone tells a difference, {other} does not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The scores of one candidate where a field has one value."""

    field: str
    value: str
    candidate: str
    grader: str
    score: Interval


def compare(grader: str, one: str, other: str, pairs: Sequence[tuple[float, float]]) -> Comparison:
    """Compare scores of the same questions; `pairs` are (one, other)."""
    differences = [first - second for first, second in pairs]
    wins = sum(difference > EPSILON for difference in differences)
    losses = sum(difference < -EPSILON for difference in differences)
    binary = all(score in (0.0, 1.0) for pair in pairs for score in pair)
    return Comparison(
        grader=grader,
        one=one,
        other=other,
        difference=mean_interval(differences),
        wins=wins,
        losses=losses,
        ties=len(pairs) - wins - losses,
        test="McNemar" if binary else "sign test",
        p=sign_test(wins, losses),
        visible=visible_difference(differences),
        pairs_needed=pairs_needed(differences),
    )


def slices(
    fields: Sequence[str],
    items: Sequence[Item],
    scores: Mapping[str, Sequence[Mapping[str, float]]],
    graders: Sequence[str],
) -> list[Slice]:
    """The scores by the values of fields; `scores` are by candidate, in the order of the items."""
    found: list[Slice] = []
    for field in fields:
        values = [_text(item.fields.get(field)) for item in items]
        for value in sorted(set(values)):
            for candidate, scored in scores.items():
                for grader in graders:
                    own = [
                        given[grader]
                        for given, where in zip(scored, values, strict=True)
                        if where == value and grader in given
                    ]
                    score = score_interval(own)
                    if score is not None:
                        found.append(
                            Slice(field=field, value=value, candidate=candidate, grader=grader, score=score)
                        )
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else "none" if value is None else str(value)
