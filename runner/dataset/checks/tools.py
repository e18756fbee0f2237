"""Rules about calls of tools and their results."""

import json
import re
from collections.abc import Iterator
from typing import Any

from runner.dataset.checks.conversation import Conversation, is_rich
from runner.dataset.checks.hits import Values
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import talk
from runner.display import shown
from runner.hints import listed

_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "부산"}'}}
_BROKEN = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{city: 부산}"}}
_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
# https://platform.openai.com/docs/api-reference/chat/create (2026-11)
MAX_TOOLS = 128
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _with_tools(tools: list[Any], answer: dict[str, Any]) -> str:
    line = json.loads(talk(("user", "부산 날씨는?"), answer))
    return json.dumps({**line, "tools": tools}, ensure_ascii=False)


def malformed_call(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT115."""
    for place, turn in conversation.places():
        for call in turn.tool_calls:
            problem = _call_problem(call)
            if problem:
                yield {"where": place, "found": problem}


def unanswered(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT114. The calls of the last message are the answer itself and need no result."""
    open_calls: set[str | None] = set()
    for place, turn in conversation.places():
        if turn.role == "tool":
            answered = _text_or_none(turn.tool_call_id)
            if answered not in open_calls:
                yield {"found": f"{place} answers no call of a tool before it"}
            open_calls.discard(answered)
            continue
        if open_calls:
            yield {"found": f"{place} comes before the result of a call of a tool"}
        open_calls = {_text_or_none(call.get("id")) for call in turn.tool_calls if isinstance(call, dict)}


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def unknown_tool(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT124."""
    known = [name for name in map(_tool_name, conversation.tools) if name is not None]
    for place, turn in conversation.places():
        for call in turn.tool_calls:
            function = call.get("function") if isinstance(call, dict) else None
            name = function.get("name") if isinstance(function, dict) else None
            if isinstance(name, str) and name not in known:
                yield {"where": place, "found": shown(name), "known": listed(known)}


def malformed_tool(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT125."""
    if len(conversation.tools) > MAX_TOOLS:
        yield {"found": f"{len(conversation.tools)} tools", "expected": f"at most {MAX_TOOLS}"}
    for number, tool in enumerate(conversation.tools, start=1):
        name = _tool_name(tool)
        if name is None or tool.get("type") != "function":
            yield {"found": f"tool {number} is no function with a name", "expected": "one"}
        elif not _NAME.fullmatch(name):
            expected = "letters, digits, _ and - in it, at most 64"
            yield {"found": f"tool {number} has the name {shown(name)}", "expected": expected}
        elif not isinstance(tool["function"].get("parameters", {}), dict):
            yield {"found": f"tool {number} has parameters that are no object", "expected": "a JSON Schema"}


def tools_for_nobody(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT127."""
    if setup.limits.takes_tools:
        return
    if conversation.tools or any(turn.tool_calls or turn.role == "tool" for _, turn in conversation.places()):
        yield {}


def _tool_name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _call_problem(call: Any) -> str:
    if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
        return "no `function`"
    if not isinstance(call.get("id"), str) or not call["id"]:
        return "no `id`"
    if call.get("type") != "function":
        return f"the type {shown(call.get('type'))}"
    if not isinstance(call["function"].get("name"), str) or not call["function"]["name"]:
        return "no name of a function"
    arguments = call["function"].get("arguments")
    if not isinstance(arguments, str):
        return "arguments that are not text"
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return "arguments that are not JSON"
    return "" if is_object else "arguments that are no JSON object"


TOOL_RULES = (
    ExampleRule(
        Rule(
            code="FT114",
            name="tool-result-without-call",
            level="error",
            is_enforced=True,
            problem="{found}, expected every call followed by its result and every result after its call.",
            advice="Give both the same `tool_call_id`, or leave the tool messages out.",
            description="Calls of tools and their results come in pairs.",
            why="Hosted services refuse a result that no call asked for, and a call that nothing answers.",
            bad=talk(
                ("user", "부산 날씨는?"),
                {"role": "tool", "content": "맑음", "tool_call_id": "call_1"},
                ("assistant", "맑아요."),
            ),
            good=talk(
                ("user", "부산 날씨는?"),
                {"role": "assistant", "tool_calls": [_CALL]},
                {"role": "tool", "content": "맑음", "tool_call_id": "call_1"},
                ("assistant", "맑아요."),
            ),
        ),
        unanswered,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT115",
            name="malformed-tool-call",
            level="error",
            is_enforced=True,
            problem="{where} calls a tool with {found}, expected an id, the type function, a name and "
            "arguments that are a JSON object in text.",
            advice="Write the call as the API returns it.",
            description="A call of a tool has an id, a type, a name and arguments that are JSON.",
            why="Hosted services refuse the file, and a model that learns broken arguments breaks its "
            "callers.",
            bad=talk(("user", "부산 날씨는?"), {"role": "assistant", "tool_calls": [_BROKEN]}),
            good=talk(("user", "부산 날씨는?"), {"role": "assistant", "tool_calls": [_CALL]}),
        ),
        malformed_call,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT124",
            name="call-of-an-unknown-tool",
            level="warning",
            problem="{where} calls {found}, which is not among the tools of the example ({known}).",
            advice="Add it to `tools`, or correct the name.",
            description="Every tool that is called is among the tools of the example.",
            why="The model would learn to call functions that it was not told about.",
            bad=_with_tools([], {"role": "assistant", "tool_calls": [_CALL]}),
            good=_with_tools([_TOOL], {"role": "assistant", "tool_calls": [_CALL]}),
        ),
        unknown_tool,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT125",
            name="malformed-tool",
            level="error",
            is_enforced=True,
            problem="{found}, expected {expected}.",
            advice="Write the tools as the API takes them.",
            description="Tools are functions with a name and a JSON Schema, at most 128 of them.",
            why="Hosted services refuse the file.",
            bad=_with_tools(
                [{**_TOOL, "function": {"name": "날씨"}}], {"role": "assistant", "content": "네."}
            ),
            good=_with_tools([_TOOL], {"role": "assistant", "content": "네."}),
        ),
        malformed_tool,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT127",
            name="tools-for-a-model-without-them",
            level="error",
            is_enforced=True,
            problem="an example has tools, which the model has no place for; expected text alone.",
            advice="Choose a model made for tools, or leave them out.",
            description="Tools go only to models that have a place for them.",
            why="Their chat template would leave the calls out, and the model would learn to answer nothing.",
            bad="an example with tools for tiny-1",
            good="the same example for Qwen/Qwen3-0.6B",
        ),
        tools_for_nobody,
        when=is_rich,
    ),
)
