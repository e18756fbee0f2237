"""Reads messages of the API, for training and for chats."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn; only assistant turns of weight 1 are trained on."""

    role: str
    content: str
    weight: int = 1
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    tool_call_id: str | None = None

    @property
    def is_trained(self) -> bool:
        """Whether the loss falls on this message."""
        return self.role == "assistant" and self.weight == 1

    @property
    def for_template(self) -> dict[str, Any]:
        """The message as chat templates take it."""
        message: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


# Parts of a message that hosted models with other senses take.
MEDIA = ("image_url", "input_audio", "file")


class InvalidMessageError(ValueError):
    """A message is not text with a role; the text says what was found."""


class UnsupportedPartError(InvalidMessageError):
    """A message has a part that no model here takes, such as an image; in the words of the hosted service.

    `param` is the path of its type. Text and path: https://github.com/vllm-project/vllm/issues/11629
    (2025-01), which repeats an answer of the service for a model without vision.
    """

    def __init__(self, kind: str, param: str) -> None:
        super().__init__(f"Invalid content type. {kind} is only supported by certain models")
        self.param = param


def parse_messages(value: Any) -> tuple[Message, ...]:
    """Turn the API's `messages` list into messages, calls of tools included. Raises InvalidMessageError."""
    if not isinstance(value, list) or not value:
        raise InvalidMessageError("messages must be a list with at least one message")
    return tuple(_message(number, item) for number, item in enumerate(value, start=1))


def parse_tools(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Turn the API's `tools` list into tools, none for null. Raises InvalidMessageError."""
    tools = [] if value is None else value
    if not isinstance(tools, list) or not all(
        isinstance(tool, dict) and isinstance(tool.get("function"), dict) for tool in tools
    ):
        raise InvalidMessageError("tools must be a list of functions")
    return tuple(tools)


def _message(number: int, value: Any) -> Message:
    if not isinstance(value, dict):
        raise InvalidMessageError(f"message {number} is not an object")
    role, weight = value.get("role"), value.get("weight", 1)
    if not isinstance(role, str) or role not in ROLES:
        expected = ", ".join(sorted(ROLES))
        raise InvalidMessageError(f"message {number} has role {role!r}; expected one of {expected}")
    if value.get("function_call"):
        raise InvalidMessageError(f"message {number} has a function_call; expected it under tool_calls")
    if weight not in (0, 1):
        raise InvalidMessageError(f"message {number} has weight {weight!r}; expected 0 or 1")
    calls, call_id = value.get("tool_calls") or [], value.get("tool_call_id")
    if role == "tool" and not isinstance(call_id, str):
        raise InvalidMessageError(f"message {number} has role 'tool' and no tool_call_id")
    if not isinstance(calls, list) or (calls and role != "assistant"):
        raise InvalidMessageError(
            f"message {number} has tool calls; only a list in an assistant message is one"
        )
    content = "" if calls and value.get("content") is None else value.get("content")
    return Message(
        role=role,
        content=_text(number, content),
        weight=int(weight),
        tool_calls=tuple(_call(number, call) for call in calls),
        tool_call_id=call_id if role == "tool" else None,
    )


def _text(number: int, content: Any) -> str:
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        content = "".join(part["text"] for part in content)
    for place, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in MEDIA:
            raise UnsupportedPartError(kind, f"messages.[{number - 1}].content.[{place}].type")
    if not isinstance(content, str):
        raise InvalidMessageError(f"message {number} has no text content")
    if not _is_encodable(content):
        raise InvalidMessageError(f"message {number} holds half of a surrogate pair, which is not text")
    return content


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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
