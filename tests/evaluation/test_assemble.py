"""Answers and scores put together."""

from dataclasses import replace

from runner.evaluation.assemble import result_of, rows_of
from runner.evaluation.scores import Scored
from runner.evaluation.statistics import Interval
from tests.evaluation.evaluations import GRADER, items, outcome


def test_failures_are_counted_beside_the_score_of_the_rest() -> None:
    found = result_of(outcome("tuned", [1.0, None, 0.0, None]), [GRADER])

    assert {GRADER: Interval(mean=0.5, low=0.0945, high=0.9055, n=2)} == found.scores
    assert (2, "busy", 1.0, 3.0, None, 0.0) == (
        found.failures, found.failure, found.p50_s, found.p95_s, found.prompt_tokens, found.usd,
    )  # fmt: skip


def test_one_grader_may_fail_where_another_has_a_score() -> None:
    """The score counts in the mean and in the pairs alike, and the failure is told."""
    partial = Scored(scores={GRADER: 1.0}, failure="judge: fake cannot be reached")
    found = replace(outcome("tuned", [0.0]), scored=[partial])
    [row] = rows_of(items(1), [found])

    assert {"tuned": {GRADER: 1.0}} == row.scores
    assert {"tuned": "judge: fake cannot be reached"} == row.failures
    assert 1 == result_of(found, [GRADER]).failures
