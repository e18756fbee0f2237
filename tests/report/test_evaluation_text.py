"""An evaluation in a terminal: whom it is against, and what judging took."""

from dataclasses import replace

import pytest

from runner.evaluation.cost import break_even
from runner.report.evaluation_text import break_even_line, evaluation_text, results_text
from runner.report.run_answers import answer_browser
from runner.report.run_evaluation import said
from tests.evaluation.evaluations import GRADER, by_two_graders, evaluation

FOUND = evaluation(tuned=[1.0, 0.0], few=[0.0, 0.0], base=[1.0, 1.0])


def test_wins_and_losses_are_against_the_last_or_whom_one_asks_for() -> None:
    def heads(against: str | None) -> list[str]:
        text = evaluation_text(FOUND, against=against)
        return [line for line in text.splitlines() if line.startswith(("won", "lost"))]

    assert ["lost against base by 1.000 of exact: data.json: row 2"] == heads(None)
    assert ["won against few by 1.000 of exact: data.json: row 1"] == heads("few")
    assert [] == [line for line in evaluation_text(FOUND, by="rouge").splitlines() if " against " in line]


@pytest.mark.parametrize(
    ("metric", "decides", "first"),
    [
        ("", "brief", "won against base by 1.000 of brief: data.json: row 2"),
        ("brief", "brief", "won against base by 1.000 of brief: data.json: row 2"),
        (GRADER, GRADER, "lost against base by 1.000 of exact: data.json: row 2"),
    ],
)
def test_wins_are_by_the_gates_grader_else_the_first_as_in_the_report(
    metric: str, decides: str, first: str
) -> None:
    found = replace(by_two_graders(FOUND, "brief"), gate_metric=metric)
    browser = answer_browser(found)
    told = [line for line in evaluation_text(found).splitlines() if " against " in line]

    assert browser is not None
    assert (decides, decides) == (found.deciding_grader, browser["grader"])
    assert [first] == told


def test_what_judging_took_stands_beside_the_scores() -> None:
    tuned, few, base = FOUND.results
    judged = (replace(tuned, judge_tokens=1200, judge_usd=0.5), few, replace(base, judge_tokens=None))

    lines = results_text((replace(judged[2], judge_usd=None), *judged[:2]), [GRADER]).splitlines()
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[:3]]
    assert ["COST", "JUDGE TOKENS", "COST"] == cells[0][-3:]
    assert [["$0.00", "unknown", "unknown"], ["$0.00", "1,200", "$0.50"]] == [row[-3:] for row in cells[1:]]
    assert "JUDGE" not in results_text(FOUND.results, [GRADER])


def test_where_interval_and_test_disagree_every_place_says_so_in_one_sentence() -> None:
    found = evaluation(tuned=[1.0] * 3, base=[0.0] * 3)
    said_of_it = (
        "exact: no difference between tuned and base can be told: +1.000 [+1.000, +1.000], 3 won, 0 lost, "
        "0 equal, McNemar p = 0.25; the 95 % interval alone tells a difference, McNemar's test does not."
    )

    assert said_of_it in evaluation_text(found).splitlines()
    assert said_of_it in said(found)


def test_how_large_a_difference_so_many_questions_can_tell() -> None:
    text = evaluation_text(evaluation(tuned=[1.0, 0.0, 0.5, 0.5] * 2, base=[0.0, 0.5, 0.5, 0.0] * 2))

    assert (
        "exact, tuned and base: with 8 questions, a difference of 0.677 is told from chance four times in "
        "five, a smaller one less often; to tell one of 0.250, as found here, takes about 47 questions."
        in text
    )


def test_one_question_is_spoken_of_as_one() -> None:
    text = evaluation_text(evaluation(tuned=[1.0], base=[1.0]))

    assert text.startswith("faq: 1 question held out, ")
    assert "exact: tuned and base score the same on the only question." in text
    assert "1 question is too few: below 6, no test tells any difference." in text


def test_so_few_that_no_test_tells_a_difference_have_no_size_that_can_be_told() -> None:
    """Three wins of three are no evidence, whatever the interval's width."""
    text = evaluation_text(evaluation(tuned=[1.0, 0.9, 0.8], base=[0.0, 0.0, 0.1]))

    assert "3 questions are too few: below 6, no test tells any difference." in text
    assert "four times in five" not in text


def test_a_table_wider_than_the_terminal_goes_on_below() -> None:
    text = results_text(FOUND.results[:1], [GRADER], 60)

    assert [
        "       exact                 FAILED  P50     P95",
        "tuned  0.500 [0.095, 0.905]  0       1.00 s  2.00 s",
        "",
        "       TOKENS IN  OUT      COST",
        "tuned  unknown    unknown  $0.00",
    ] == text.splitlines()
    assert 2 == len(results_text(FOUND.results[:1], [GRADER]).splitlines())


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (100_000, "100,000 requests save $190.00."),
        (1_000, "1,000 requests leave $8.00 of it unpaid."),
    ],
)
def test_what_is_not_saved_is_not_called_saved(volume: int, said: str) -> None:
    assert (
        "training $10.00, a request $0.001000 tuned and $0.003000 with few_shot: training pays for itself "
        f"after 5,000 requests; {said}"
    ) == break_even_line(break_even("few_shot", 10.0, 0.001, 0.003, volume))
