"""Where a model comes from, and what everything cost."""

from dataclasses import replace

from runner.report.run_tables import provenance_rows
from tests.report.run_reports import run_report


def test_the_price_of_an_evaluation_has_its_judges_in_it() -> None:
    report = run_report()
    assert report.evaluation is not None
    tuned, *_ = report.evaluation.results
    judged = replace(tuned, usd=0.25, judge_usd=1.5)
    evaluation = replace(report.evaluation, results=(judged, judged))
    prices = {
        judge_usd: dict(row[:2] for row in provenance_rows(replace(report, evaluation=each)))[
            "price of the evaluation"
        ]
        for judge_usd, each in (
            (1.5, evaluation),
            (None, replace(evaluation, results=(judged, replace(judged, judge_usd=None)))),
        )
    }

    assert {1.5: "$3.50", None: "unknown"} == prices
