"""A gate lets a model pass only where the whole interval says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.evaluation.gate import decide, decide_locked
from runner.evaluation.past import Past, keep_answers, read_past
from runner.evaluation.value import Evaluation
from runner.recipe.model import Gate
from tests.evaluation.evaluations import GRADER, evaluation, with_questions

RIGHT, WRONG, HALF = [1.0] * 20, [0.0] * 20, [1.0, 0.0] * 10


def said(gate: Gate, found: Evaluation, past: Past | None = None) -> tuple[bool, str]:
    result = decide(gate, found, past)
    assert GRADER == result.metric
    return result.passed, result.sentence


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        (0.5, (True, "gate passed: exact is 0.500, at least 0.5.")),
        (0.8, (False, "gate failed: exact of tuned is 0.500, below the minimum of 0.8.")),
    ],
)
def test_a_minimum_is_a_floor_of_the_mean(minimum: float, expected: tuple[bool, str]) -> None:
    assert expected == said(Gate(metric=GRADER, min=minimum), evaluation(tuned=HALF))


def test_a_baseline_has_to_be_beaten_by_more_than_chance() -> None:
    gate = Gate(metric=GRADER, better_than="retrieval")

    assert (
        True,
        "gate passed: exact of tuned − retrieval = +1.000 [+1.000, +1.000] on 20 questions, "
        "McNemar p = 1.9e-06.",
    ) == (said(gate, evaluation(tuned=RIGHT, retrieval=WRONG)))
    equal = evaluation(tuned=RIGHT, retrieval=RIGHT)
    assert (
        False,
        "gate failed: exact of tuned − retrieval = +0.000 [+0.000, +0.000] on 20 questions, McNemar "
        "p = 1; expected the whole interval above 0.",
    ) == said(gate, equal)
    passed, _ = said(gate, evaluation(tuned=[1.0, *WRONG[1:]], retrieval=WRONG))
    assert not passed
    assert said(replace(gate, by=-0.1), equal)[0]


def test_two_wins_of_two_are_too_few() -> None:
    gate = Gate(metric=GRADER, better_than="retrieval")
    found = evaluation(tuned=[1.0, 1.0], retrieval=[0.0, 0.0])

    assert (
        False,
        "gate failed: exact of tuned − retrieval = +1.000 [+1.000, +1.000] on 2 questions, McNemar p = 0.5; "
        "the 95 % interval alone tells a difference, McNemar's test does not.",
    ) == said(gate, found)
    assert "unclear" == found.comparisons[0].verdict


def test_what_failed_does_not_pass() -> None:
    gate = Gate(metric=GRADER, better_than="retrieval")

    assert (False, "gate failed: 1 answers of tuned failed or have no score.") == said(
        gate, evaluation(tuned=[None, *RIGHT[1:]], retrieval=WRONG)
    )
    assert (False, "gate failed: 2 answers of retrieval failed or have no score.") == said(
        gate, evaluation(tuned=RIGHT, retrieval=[None, None, *WRONG[2:]])
    )


def test_the_locked_evaluation_is_beaten_question_by_question(tmp_path: Path) -> None:
    before = evaluation(tuned=HALF)
    keep_answers(before, tmp_path)
    past = read_past(before.locked(), tmp_path)
    passed, sentence = said(Gate(metric=GRADER, better_than="locked"), evaluation(tuned=RIGHT), past)

    assert passed
    assert sentence.startswith("gate passed: exact of tuned − the locked model = +0.500 [+0.")


def test_without_its_answers_means_are_compared_with_a_wider_interval() -> None:
    past = Past(locked=evaluation(tuned=HALF).locked())

    passed, sentence = said(Gate(metric=GRADER, better_than="locked"), evaluation(tuned=RIGHT), past)

    assert passed
    assert sentence.endswith("on 20 questions; unpaired, because the locked answers are not on this machine.")


def test_other_questions_or_graders_are_not_comparable() -> None:
    gate, now = Gate(metric=GRADER, better_than="locked"), evaluation(tuned=RIGHT)
    other_questions = with_questions(now, "a" * 64).locked()
    other_graders = replace(now, graders_sha256="b" * 64).locked()
    mine = now.questions.sha256[:12]

    assert (
        False,
        "gate failed: not comparable with the locked evaluation: they asked different questions "
        f"(hashes {mine} and {'a' * 12}). --bless locks this one.",
    ) == said(gate, now, Past(locked=other_questions))
    assert (
        False,
        "gate failed: not comparable with the locked evaluation: their graders differ "
        f"(hashes {'9' * 12} and {'b' * 12}). --bless locks this one.",
    ) == said(gate, now, Past(locked=other_graders))


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        (Gate(metric=GRADER, min=0.4), True),
        (Gate(metric=GRADER, min=0.6), False),
        (Gate(metric=GRADER, better_than="locked"), True),
        (Gate(metric=GRADER, better_than="base"), True),
        (Gate(metric=GRADER, better_than="retrieval"), False),
        (Gate(metric=GRADER, better_than="few_shot"), False),
        (Gate(metric="style", min=0.0), False),
    ],
)
def test_a_gate_holds_for_what_is_locked(gate: Gate, passed: bool, here: bool, tmp_path: Path) -> None:
    found = evaluation(tuned=HALF, base=WRONG, retrieval=RIGHT)
    keep_answers(found, tmp_path)
    past = read_past(found.locked(), tmp_path if here else tmp_path / "elsewhere")

    assert passed is decide_locked(gate, past).passed


def test_with_the_answers_at_hand_chance_is_told(tmp_path: Path) -> None:
    """Two wins of twenty are a better mean and no proof."""
    found = evaluation(tuned=[1.0, 1.0, *WRONG[2:]], base=WRONG)
    keep_answers(found, tmp_path)
    gate = Gate(metric=GRADER, better_than="base")
    here, elsewhere = (read_past(found.locked(), folder) for folder in (tmp_path, tmp_path / "elsewhere"))

    assert (
        "gate failed: exact of tuned − base = +0.100 [+0.000, +0.250] on 20 questions, McNemar p = 0.5; "
        "expected the whole interval above 0.",
        "gate passed: exact of tuned − base = +0.100.",
    ) == (decide_locked(gate, here).sentence, decide_locked(gate, elsewhere).sentence)
