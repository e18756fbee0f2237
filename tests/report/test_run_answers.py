"""The browser of wins and losses in a report."""

from runner.report.run_answers import answer_browser
from tests.evaluation.evaluations import evaluation


def test_the_best_score_of_a_question_stands_out_and_equal_ones_do_not() -> None:
    browser = answer_browser(evaluation(tuned=[1.0, 0.0, 0.0], base=[0.0, 1.0, 0.0]))

    assert browser is not None
    assert [["tuned"], ["base"], []] == [
        [cell["name"] for cell in row["cells"] if cell["best"]] for row in browser["rows"]
    ]
