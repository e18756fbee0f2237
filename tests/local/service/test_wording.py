"""The words of the hosted chat API for what is wrong with a body."""

from typing import Any

import pytest

from runner.local.service.refusals import ApiError
from runner.local.service.schemas import METADATA
from runner.local.service.wording import check_body

SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1},
        "t": {"type": "number", "exclusiveMinimum": 0, "maximum": 2},
        "kind": {"enum": ["a", "b", "c"]},
        "names": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 2}},
        "id": {"type": "string", "pattern": "^x"},
        "metadata": METADATA,
    },
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({}, "Missing required parameter: 'n'.", "n", "missing_required_parameter"),
        ({"n": 1, "m": 1}, "Unknown parameter: 'm'.", "m", "unknown_parameter"),
        (
            {"n": "1"},
            "Invalid type for 'n': expected an integer, but got a string instead.",
            "n",
            "invalid_type",
        ),
        (
            {"n": None},
            "Invalid type for 'n': expected an integer, but got null instead.",
            "n",
            "invalid_type",
        ),
        (
            {"n": 0},
            "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
            "n",
            "integer_below_min_value",
        ),
        (
            {"n": 1, "t": 0.0},
            "Invalid 't': decimal below minimum value. Expected a value > 0, but got 0.0 instead.",
            "t",
            "decimal_below_min_value",
        ),
        (
            {"n": 1, "kind": "d"},
            "Invalid value: 'd'. Supported values are: 'a', 'b', and 'c'.",
            "kind",
            "invalid_value",
        ),
        (
            {"n": 1, "names": []},
            "Invalid 'names': empty array. Expected an array with minimum length 1, but got an empty array "
            "instead.",
            "names",
            "empty_array",
        ),
        (
            {"n": 1, "names": ["ab", "a"]},
            "Invalid 'names[1]': string too short. Expected a string with minimum length 2, but got a string "
            "with length 1 instead.",
            "names[1]",
            "string_below_min_length",
        ),
        (
            {"n": 1, "id": "y"},
            "Invalid 'id': string does not match pattern. Expected a string that matches the pattern '^x'.",
            "id",
            "invalid_value",
        ),
        (
            {"n": 1, "metadata": {str(number): "" for number in range(17)}},
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got "
            "an object with 17 properties instead.",
            "metadata",
            "object_above_max_properties",
        ),
        (
            {"n": 1, "metadata": {"a": "x" * 513}},
            "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, but got a "
            "string with length 513 instead.",
            "metadata.a",
            "string_above_max_length",
        ),
    ],
)
def test_every_rule_has_its_sentence(body: Any, message: str, param: str, code: str) -> None:
    """What is wrong, what was expected, what was found."""
    with pytest.raises(ApiError) as caught:
        check_body(body, SCHEMA)

    assert (caught.value.message, caught.value.param, caught.value.code) == (message, param, code)


def test_a_body_that_fits_passes() -> None:
    """Nothing is said about it."""
    check_body({"n": 1, "names": ["ab"]}, SCHEMA)
