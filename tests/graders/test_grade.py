"""Graders applied to answers."""

from typing import Any

import pytest

from runner.graders.grade import Grade, Means, grade
from runner.graders.judge import JudgeUnavailableError, Question, Reply
from runner.graders.parse import parse_grader
from runner.graders.template import Sample
from tests.graders.test_parse import CHECK, CODE, LABEL, MULTI, SCORE

SAMPLE = Sample(output_text="세금 Tax")
NOTHING = Means()


def graded(value: dict[str, Any], reference: str = "세금", means: Means = NOTHING) -> Grade:
    """Grade SAMPLE."""
    return grade(parse_grader(value), SAMPLE, {"reference": reference}, means)


def judge(answer: str) -> Means:
    """A judging model that always says the same."""

    def chat(question: Question) -> Reply:
        return Reply(text=answer, n_tokens=7)

    return Means(chat=chat)


@pytest.mark.parametrize(
    ("operation", "reference", "score"),
    [
        ("eq", "세금 Tax", 1.0),
        ("eq", "세금 tax", 0.0),
        ("ne", "세금 tax", 1.0),
        ("ne", "세금 Tax", 0.0),
        ("like", "금 T", 1.0),
        ("like", "금 t", 0.0),
        ("ilike", "금 t", 1.0),
        ("ilike", "수", 0.0),
    ],
)
def test_string_checks(operation: str, reference: str, score: float) -> None:
    """`like` asks whether the answer contains the reference."""
    assert graded({**CHECK, "operation": operation}, reference) == Grade(score=score)


def test_a_missing_variable_is_a_failure() -> None:
    """The grade says which."""
    value = {**CHECK, "reference": "{{ item.answer }}"}

    assert graded(value) == Grade(score=0.0, failure="invalid_variable_error", details="item has no 'answer'")


def test_several_graders_make_one_score() -> None:
    """The parts are kept."""
    value = {
        **MULTI,
        "graders": {"a": CHECK, "b": {**CHECK, "operation": "like"}},
        "calculate_output": "(a + 3 * b) / 4",
    }

    assert graded(value) == Grade(score=0.75, parts={"a": Grade(score=0.0), "b": Grade(score=1.0)})


def test_a_part_that_fails_fails_the_whole() -> None:
    """A score made from it would look like a judgement."""
    value = {**MULTI, "graders": {"a": {**CHECK, "reference": "{{ item.x }}"}}, "calculate_output": "1 - a"}
    failed = Grade(score=0.0, failure="invalid_variable_error", details="item has no 'x'")

    assert graded(value) == Grade(
        score=0.0, failure="invalid_variable_error", details="item has no 'x'", parts={"a": failed}
    )


def test_a_formula_without_a_value_is_a_failure() -> None:
    """Division by a score of 0, for one."""
    value = {**MULTI, "graders": {"a": CHECK}, "calculate_output": "1 / a"}
    found = graded(value)

    assert (found.score, found.failure) == (0.0, "formula_parse_error")


@pytest.mark.parametrize(
    ("answer", "score"),
    [('{"result": 4}', 4.0), ('{"result": "4.5"}', 4.5), ("5", 5.0), (" 3.5 ", 3.5)],
)
def test_a_model_gives_a_score(answer: str, score: float) -> None:
    """As JSON, as asked, or as a bare number."""
    assert graded({**SCORE, "range": [1, 5]}, means=judge(answer)) == Grade(score=score, n_tokens=7)


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        ("excellent", "the answer is not a number: 'excellent'"),
        ("it is 4 of 5", "the answer is not a number: 'it is 4 of 5'"),
        ('{"result": 6}', "6 is not from 1 to 5"),
        ('{"result": true}', "the answer is not a number: '{\"result\": true}'"),
    ],
)
def test_an_answer_that_is_no_score_is_a_failure(answer: str, details: str) -> None:
    """Not a low score."""
    assert graded({**SCORE, "range": [1, 5]}, means=judge(answer)) == Grade(
        score=0.0, failure="model_grader_parse_error", details=details
    )


@pytest.mark.parametrize(("answer", "score"), [('{"result": "good"}', 1.0), ("bad", 0.0)])
def test_a_model_gives_a_label(answer: str, score: float) -> None:
    """1 where it is a passing one."""
    assert graded(LABEL, means=judge(answer)) == Grade(score=score, n_tokens=7)


def test_a_model_is_asked_with_the_filled_template() -> None:
    """And told which form the answer has."""
    asked: list[Question] = []

    def chat(question: Question) -> Reply:
        asked.append(question)
        return Reply(text="1", n_tokens=1)

    graded({**SCORE, "sampling_params": {"seed": 3}}, means=Means(chat=chat))
    wanted = 'Answer with JSON of the form {"result": <a number from 0 to 1>} and nothing else.'
    assert asked == [
        Question(
            model="tiny-1",
            messages=(
                {"role": "system", "content": wanted},
                {"role": "user", "content": "Rate 세금 Tax"},
            ),
            schema={
                "type": "object",
                "properties": {"result": {"type": "number", "minimum": 0.0, "maximum": 1.0}},
                "required": ["result"],
                "additionalProperties": False,
            },
            sampling={"seed": 3},
        )
    ]


def test_a_model_that_cannot_answer_is_a_failure() -> None:
    """The reason is kept."""

    def chat(question: Question) -> Reply:
        raise JudgeUnavailableError("the model died")

    assert graded(SCORE, means=Means(chat=chat)) == Grade(
        score=0.0, failure="model_grader_server_error", details="the model died"
    )


def test_code_runs_only_where_it_is_allowed() -> None:
    """Not by default."""
    assert graded(CODE) == Grade(
        score=0.0, failure="python_grader_server_error", details="running code was not allowed"
    )
    assert graded(CODE, means=Means(allow_code=True)) == Grade(score=1.0)


def test_code_that_raises_is_a_failure() -> None:
    """Its error is kept."""
    value = {**CODE, "source": "def grade(sample, item): return 1 / 0"}

    assert graded(value, means=Means(allow_code=True)) == Grade(
        score=0.0, failure="python_grader_runtime_error", details="ZeroDivisionError: division by zero"
    )
