"""The table of an evaluation in reports: costs, those of judging, and what scores depend on."""

from dataclasses import replace

from runner.report.run_evaluation import candidates_of, evaluation_part, graded
from runner.report.run_report import RunReport
from tests.report.run_reports import run_report

PLAIN = ("p50", "p95", "tokens in", "out", "cost")


def judged() -> RunReport:
    """A report whose tuned model was judged by another, which no price is known of."""
    report = run_report()
    assert report.evaluation is not None
    tuned, *others = report.evaluation.results
    results = (replace(tuned, judge_tokens=1234, judge_usd=None), *others)
    return replace(report, evaluation=replace(report.evaluation, results=results))


def test_without_a_judge_there_are_no_columns_for_one() -> None:
    part = evaluation_part(run_report())

    assert part is not None
    assert [PLAIN] == [table["costs"] for table in part["tables"]]
    assert ("0.50 s", "1.25 s", "1,000", "200", "$0.00") == part["tables"][0]["rows"][0]["costs"]


def test_what_a_judge_took_stands_beside_the_answers_cost() -> None:
    report = judged()
    part = evaluation_part(report)

    assert part is not None and report.evaluation is not None
    assert [(*PLAIN, "judge tokens", "judge cost")] == [table["costs"] for table in part["tables"]]
    assert ("1,234", "unknown") == candidates_of(report.evaluation)[0].costs[-2:]
    assert ("0", "$0.00") == candidates_of(report.evaluation)[1].costs[-2:]


def test_what_scores_depend_on_is_said_of_every_grader() -> None:
    settings = {
        "kind": {"type": "label_model", "model": "gpt-x", "provider": "openai"},
        "all": {
            "type": "multi",
            "calculate_output": "a / 2",
            "graders": {"a": {"type": "python", "source_sha256": "0123456789abcdef" * 4}},
        },
    }

    assert [
        "kind: label_model, model gpt-x, provider openai",
        "all: multi, calculate output a / 2, graders a (python, source sha256 0123456789ab)",
    ] == list(graded(settings))
