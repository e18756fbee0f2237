"""Tool calls in what a model writes."""

from typing import Any

import pytest

from runner.local.training.tool_calls import ToolCall, ToolCallFilter, forced_call, read_calls, schema_of_call

CALL = '<tool_call>\n{"name": "find", "arguments": {"q": "세금"}}\n</tool_call>'
FIND = ToolCall(name="find", arguments='{"q": "세금"}')
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "find", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "stop"}},
]


def filtered(text: str, size: int = 3) -> tuple[str, list[ToolCall]]:
    """Pass text through the filter in pieces."""
    passing = ToolCallFilter()
    given = "".join(passing.push(text[start : start + size]) for start in range(0, len(text), size))
    rest, calls = passing.close()
    return given + rest, calls


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("just text", ("just text", [])),
        (CALL, ("", [FIND])),
        (f"I look it up. {CALL}\n{CALL}", ("I look it up. ", [FIND, FIND])),
        ("a < b <tool", ("a < b <tool", [])),
        ("<tool_call>not json</tool_call>", ("<tool_call>not json</tool_call>", [])),
        ('<tool_call>{"name": 3}</tool_call>', ('<tool_call>{"name": 3}</tool_call>', [])),
    ],
)
def test_calls_are_told_from_text(text: str, expected: tuple[str, list[ToolCall]], size: int) -> None:
    """Whatever the pieces are; what is no call is not lost."""
    assert filtered(text, size) == expected


def test_arguments_written_as_text_stay_text() -> None:
    """Some models write the JSON twice."""
    text = '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>'

    assert read_calls(text) == [ToolCall(name="f", arguments='{"a": 1}')]


def test_one_function_needs_its_arguments_only() -> None:
    """Its name is known."""
    assert schema_of_call(TOOLS[:1]) == SCHEMA
    assert forced_call(TOOLS[:1], '{"q": "a"') == [ToolCall(name="find", arguments='{"q": "a"')]


def test_several_functions_need_a_choice() -> None:
    """The name is part of what is written."""
    nothing = {"type": "object", "properties": {}, "additionalProperties": False}
    assert schema_of_call(TOOLS) == {
        "anyOf": [
            {
                "type": "object",
                "properties": {"name": {"const": name}, "arguments": parameters},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for name, parameters in (("find", SCHEMA), ("stop", nothing))
        ]
    }
    assert forced_call(TOOLS, '{"name": "find", "arguments": {"q": "세금"}}') == [FIND]
    assert forced_call(TOOLS, '{"name": "fi') == []
