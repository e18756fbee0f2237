"""Graders from JSON."""

from typing import Any

import pytest

from runner.graders.model import (
    InvalidGraderError,
    LabelModel,
    Multi,
    PythonCode,
    ScoreModel,
    StringCheck,
    TextSimilarity,
    Turn,
)
from runner.graders.parse import parse_grader

CHECK = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
SIMILAR = {**CHECK, "type": "text_similarity", "name": "alike", "evaluation_metric": "rouge_l"}
del SIMILAR["operation"]
CODE = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
SCORE = {
    "type": "score_model",
    "name": "score",
    "model": "tiny-1",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
LABEL = {
    **SCORE,
    "type": "label_model",
    "name": "label",
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"same": CHECK, "alike": SIMILAR},
    "calculate_output": "0.5 * same + 0.5 * alike",
}
SAME = StringCheck(name="same", input=CHECK["input"], reference=CHECK["reference"], operation="eq")
ALIKE = TextSimilarity(
    name="alike", input=CHECK["input"], reference=CHECK["reference"], evaluation_metric="rouge_l"
)
TURN = Turn(role="user", content="Rate {{ sample.output_text }}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CHECK, SAME),
        (SIMILAR, ALIKE),
        (CODE, PythonCode(name="code", source=CODE["source"])),
        (SCORE, ScoreModel(name="score", model="tiny-1", input=(TURN,))),
        (
            {**SCORE, "range": [1, 5], "sampling_params": {"seed": 3, "temperature": None}},
            ScoreModel(
                name="score", model="tiny-1", input=(TURN,), range=(1.0, 5.0), sampling_params={"seed": 3}
            ),
        ),
        (
            {
                **SCORE,
                "input": [
                    {"role": "user", "type": "message", "content": [{"type": "input_text", "text": "a"}, "b"]}
                ],
            },
            ScoreModel(name="score", model="tiny-1", input=(Turn(role="user", content="ab"),)),
        ),
        (
            LABEL,
            LabelModel(
                name="label",
                model="tiny-1",
                input=(TURN,),
                labels=("good", "bad"),
                passing_labels=("good",),
            ),
        ),
        (
            MULTI,
            Multi(
                name="both",
                graders={"same": SAME, "alike": ALIKE},
                calculate_output=MULTI["calculate_output"],
            ),
        ),
        (
            {**MULTI, "graders": CHECK, "calculate_output": "1 - same"},
            Multi(name="both", graders={"same": SAME}, calculate_output="1 - same"),
        ),
    ],
)
def test_every_kind_is_read(value: dict[str, Any], expected: Any) -> None:
    """One value for each type of the API."""
    assert parse_grader(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a grader is an object - 'grader'"),
        ({}, "None is not one of"),
        ({"type": "magic"}, "'magic' is not one of"),
        (
            {**CHECK, "operation": "near"},
            "'near' is not one of ['eq', 'ne', 'like', 'ilike'] - 'grader.operation'",
        ),
        ({**CHECK, "reference": None}, "a string_check grader needs 'reference' - 'grader.reference'"),
        ({**CHECK, "input": 3}, "3 is not of type 'string' - 'grader.input'"),
        ({**CHECK, "speed": 1}, "a string_check grader has no 'speed' - 'grader.speed'"),
        (
            {**CHECK, "input": "{{ x }}"},
            "'{{ x }}' begins with 'x', expected item or sample - 'grader.input'",
        ),
        (
            {**SIMILAR, "evaluation_metric": "cosine"},
            "cosine compares embeddings of text-embedding-3-large, which are not on this machine; "
            "use rouge_l or fuzzy_match - 'grader.evaluation_metric'",
        ),
        (
            {**CODE, "source": "x" * 262145},
            "the source has 262145 bytes; at most 262144 are allowed - 'grader.source'",
        ),
        (
            {**CODE, "source": "def grade("},
            "the source is not Python: '(' was never closed (<unknown>, line 1) - 'grader.source'",
        ),
        (
            {**CODE, "source": "def grad(sample, item):\n    return 1"},
            "the source defines no function grade(sample, item) - 'grader.source'",
        ),
        ({**SCORE, "range": [1, 1]}, "[1, 1] is not two rising numbers - 'grader.range'"),
        ({**SCORE, "range": [0, 1, 2]}, "[0, 1, 2] is not two rising numbers - 'grader.range'"),
        ({**SCORE, "input": []}, "expected a list of messages - 'grader.input'"),
        (
            {**SCORE, "input": [{"role": "tool", "content": "a"}]},
            "'tool' is not one of ['user', 'assistant', 'system', 'developer'] - 'grader.input.0.role'",
        ),
        (
            {**SCORE, "input": [{"role": "user", "content": {"type": "input_image", "image_url": "x"}}]},
            "expected text; pictures and sound are not supported on this machine - 'grader.input.0.content'",
        ),
        (
            {**SCORE, "sampling_params": {"temperature": "hot"}},
            "'hot' is not a number - 'grader.sampling_params.temperature'",
        ),
        (
            {**LABEL, "passing_labels": ["fine"]},
            "'fine' is not one of the labels - 'grader.passing_labels'",
        ),
        (
            {**MULTI, "calculate_output": "same + other"},
            "'other' is not one of the graders ['alike', 'same'] - 'grader.calculate_output'",
        ),
        (
            {**MULTI, "calculate_output": "same +"},
            "the formula 'same +' cannot be read: it is not arithmetic - 'grader.calculate_output'",
        ),
        (
            {**MULTI, "graders": {"same": MULTI}},
            "a multi grader cannot hold another one - 'grader.graders.same'",
        ),
        (
            {**MULTI, "graders": {"same": {**CHECK, "operation": "near"}}},
            "'near' is not one of ['eq', 'ne', 'like', 'ilike'] - 'grader.graders.same.operation'",
        ),
    ],
)
def test_what_is_wrong_is_named(value: Any, message: str) -> None:
    """The place inside the grader, what was found and what was expected."""
    with pytest.raises(InvalidGraderError) as caught:
        parse_grader(value)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "source",
    [
        "grade = lambda sample, item: 1",
        "if True:\n    def grade(sample, item): return 1",
        "from math import gcd as grade",
    ],
)
def test_grade_may_be_defined_in_any_way(source: str) -> None:
    assert source == getattr(parse_grader({**CODE, "source": source}), "source", None)
