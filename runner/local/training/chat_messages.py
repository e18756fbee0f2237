"""Reads the messages of a chat request, tool calls included."""

import json
from dataclasses import replace
from typing import Any

from runner.local.training.training_file import InvalidMessageError, Message, parse_messages


def parse_chat_messages(value: Any) -> tuple[Message, ...]:
    """Turn the API's `messages` list into messages. Raises InvalidMessageError."""
    items = value if isinstance(value, list) else []
    plain = [_without_calls(item) if isinstance(item, dict) else item for item in items]
    messages = parse_messages(plain if isinstance(value, list) else value)
    return tuple(
        _with_calls(number, message, item)
        for number, (message, item) in enumerate(zip(messages, items, strict=True), start=1)
    )


def _without_calls(item: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in item.items() if name != "tool_calls"}
    if item.get("tool_calls") and plain.get("content") is None:
        plain["content"] = ""
    return plain


def _with_calls(number: int, message: Message, item: dict[str, Any]) -> Message:
    calls, call_id = item.get("tool_calls") or [], item.get("tool_call_id")
    if message.role == "tool" and not isinstance(call_id, str):
        raise InvalidMessageError(f"message {number} has role 'tool' and no tool_call_id")
    if not isinstance(calls, list) or (calls and message.role != "assistant"):
        raise InvalidMessageError(
            f"message {number} has tool calls; only a list in an assistant message is one"
        )
    if not calls and call_id is None:
        return message
    return replace(
        message,
        tool_calls=tuple(_call(number, call) for call in calls),
        tool_call_id=call_id if message.role == "tool" else None,
    )


def _call(number: int, call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidMessageError(f"message {number} has a tool call without a function")
    try:
        # Templates print arguments as JSON themselves.
        arguments = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessageError(f"message {number} has a tool call whose arguments are not JSON") from error
    return {
        "id": call.get("id"),
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }
