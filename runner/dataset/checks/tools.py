"""Rules about calls of tools and their results."""

import json
from collections.abc import Iterator
from typing import Any

from runner.dataset.checks.conversation import Conversation, is_rich
from runner.dataset.checks.rule import ExampleRule, Rule, Setup, Values
from runner.dataset.checks.samples import talk
from runner.display import shown

_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "부산"}'}}
_BROKEN = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{city: 부산}"}}


def malformed_call(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT115."""
    for place, turn in conversation.places():
        for call in turn.tool_calls:
            problem = _call_problem(call)
            if problem:
                yield {"where": place, "found": problem}


def unanswered(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT114. The calls of the last message are the answer itself and need no result."""
    open_calls: set[Any] = set()
    for place, turn in conversation.places():
        if turn.role == "tool":
            if turn.tool_call_id not in open_calls:
                yield {"found": f"{place} answers no call of a tool before it"}
            open_calls.discard(turn.tool_call_id)
            continue
        if open_calls:
            yield {"found": f"{place} comes before the result of a call of a tool"}
        open_calls = {call.get("id") for call in turn.tool_calls if isinstance(call, dict)}


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
)
