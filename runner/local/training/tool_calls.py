"""Finds the tool calls in what a model writes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.training.text_stream import StopFilter

# The form that Qwen, Hermes and the models tuned like them write: https://github.com/NousResearch/
# Hermes-Function-Calling. Other forms stay text.
OPENING = "<tool_call>"
_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function to call; `arguments` is JSON, or the beginning of it where an answer was cut."""

    name: str
    arguments: str


class ToolCallFilter:
    """Passes text on until the first call; what follows is for `close` to read."""

    def __init__(self) -> None:
        self._text = StopFilter([OPENING])
        self._calls = ""

    def push(self, text: str) -> str:
        """Take more text and return what is not part of a call."""
        if self._text.has_stopped:
            self._calls += text
            return ""
        given = self._text.push(text)
        if self._text.has_stopped:
            self._calls = self._text.rest
        return given

    def close(self) -> tuple[str, list[ToolCall]]:
        """Return the rest of the text and the calls; what cannot be read as a call is text."""
        calls = read_calls(self._calls)
        return (self._text.close() if calls or not self._calls else self._calls), calls


def read_calls(text: str) -> list[ToolCall]:
    """Read the calls in a text; none when one of them is damaged."""
    calls = [_call(found) for found in _CALL.findall(text)]
    return [call for call in calls if call is not None] if all(calls) else []


def schema_of_call(tools: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The JSON Schema of a call of one of several functions, or of the arguments of the only one."""
    functions = [tool["function"] for tool in tools]
    if len(functions) == 1:
        return _parameters(functions[0])
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"name": {"const": function["name"]}, "arguments": _parameters(function)},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for function in functions
        ]
    }


def forced_call(tools: list[Mapping[str, Any]], text: str) -> list[ToolCall]:
    """Read the call that `schema_of_call` made the model write."""
    if len(tools) == 1:
        return [ToolCall(name=tools[0]["function"]["name"], arguments=text)]
    call = _call(text)
    return [] if call is None else [call]


def _parameters(function: Mapping[str, Any]) -> Mapping[str, Any]:
    return function.get("parameters") or {"type": "object", "properties": {}, "additionalProperties": False}


def _call(text: str) -> ToolCall | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        return None
    arguments = content.get("arguments", {})
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(name=content["name"], arguments=written)
