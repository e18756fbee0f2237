"""Messages as OpenAI's API has them, from data that comes close: tool calls, parts, weights, names."""

import json
from collections.abc import Mapping
from typing import Any

from runner.display import shown
from runner.examples.shapes.shaped import Message, Roles, ShapeError, unpacked
from runner.hints import listed, nearest

ROLES = ("system", "developer", "user", "assistant", "tool")
# What other programs call the speakers.
SPEAKERS: Mapping[str, str] = {
    **{role: role for role in ROLES},
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "function_call": "call",
    "tool_call": "call",
}
_TEXT_PARTS = ("text", "input_text", "output_text")
# What a model thought is not part of what it answered.
_THOUGHTS = ("reasoning", "thinking", "redacted_thinking")


class MessageReader:
    """Reads the messages of one conversation; gives ids to calls that have none, and to their results."""

    def __init__(self, role: str, content: str, roles: Roles | None = None) -> None:
        self.role = role
        self.content = content
        self.roles = {**SPEAKERS, **(roles or {})}
        self.n_calls = 0
        self.open_calls: list[str] = []

    def read(self, items: list[Any]) -> list[Message]:
        """All messages. Raises ShapeError for the first that is none."""
        messages = []
        for number, item in enumerate(items, start=1):
            try:
                messages.append(self.message(item))
            except ShapeError as error:
                raise ShapeError(f"item {number}: {error}") from error
        return messages

    def message(self, item: Any) -> Message:
        """One message. Raises ShapeError."""
        if not isinstance(item, dict):
            raise ShapeError(
                f"found {shown(item)}, expected an object with {shown(self.role)} and {shown(self.content)}. "
                "Repair the data."
            )
        role = self.speaker(item)
        if role == "call":
            calls = self.calls(unpacked(item.get(self.content)))
            return _weighted({"role": "assistant", "tool_calls": calls}, item)
        given = item.get("tool_calls")
        if not given and item.get("function_call"):
            given = [item["function_call"]]
        calls = self.calls(unpacked(given)) if given else []
        message: Message = {"role": role}
        content = self.spoken(item, role, has_calls=bool(calls))
        if content is not None:
            message["content"] = content
        if isinstance(item.get("name"), str) and role != "tool":
            message["name"] = item["name"]
        message = _weighted(message, item)
        if calls:
            message["tool_calls"] = calls
        if role == "tool":
            message["tool_call_id"] = self.answered(item)
        return message

    def speaker(self, item: Mapping[str, Any]) -> str:
        """The role of a message."""
        if self.role not in item:
            hint = nearest(self.role, item) or f"Say under `fields` where the messages are. {listed(item)}"
            raise ShapeError(f"found no {shown(self.role)}, expected who speaks. {hint}")
        name = item[self.role]
        if not isinstance(name, str) or name not in self.roles:
            known = list(self.roles)
            hint = (nearest(name, known) if isinstance(name, str) else "") or (
                "Say under `roles` which role it stands for."
            )
            raise ShapeError(f"found the role {shown(name)}, expected one of {listed(known)}. {hint}")
        return self.roles[name]

    def spoken(self, item: Mapping[str, Any], role: str, *, has_calls: bool) -> str | list[Any] | None:
        """The text or parts of a message, None beside calls of tools. Raises ShapeError."""
        value = item.get(self.content)
        if value is None and has_calls:
            return None
        if isinstance(value, list):
            return _parts(value)
        if role == "tool" and isinstance(value, dict | int | float):
            return json.dumps(value, ensure_ascii=False)
        if self.content not in item:
            hint = nearest(self.content, item) or f"The item has {listed(item)}."
            raise ShapeError(f"found no {shown(self.content)}, expected text. {hint}")
        if not isinstance(value, str):
            raise ShapeError(
                f"found {shown(value)} under {shown(self.content)}, expected text. Repair the data."
            )
        return value

    def calls(self, value: Any) -> list[Message]:
        """Calls of tools as the API has them. Raises ShapeError."""
        given = value if isinstance(value, list) else [value]
        self.open_calls = []
        return [self.call(item) for item in given]

    def call(self, item: Any) -> Message:
        """One call; arguments become text, as the API has them."""
        function = item.get("function", item) if isinstance(item, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise ShapeError(
                f"found {shown(item)} as a call of a tool, expected its name and arguments. Repair the data."
            )
        self.n_calls += 1
        given = item.get("id")
        name = given if isinstance(given, str) and given else f"call_{self.n_calls}"
        self.open_calls.append(name)
        arguments = function.get("arguments", {})
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        return {
            "id": name,
            "type": "function",
            "function": {"name": function["name"], "arguments": arguments},
        }

    def answered(self, item: Mapping[str, Any]) -> str:
        """The call that a result belongs to: the one it names, else the first without a result."""
        named = item.get("tool_call_id")
        if isinstance(named, str) and named:
            if named in self.open_calls:
                self.open_calls.remove(named)
            return named
        if not self.open_calls:
            raise ShapeError(
                "found the result of a tool that nothing before it calls, expected a call. Repair the data."
            )
        return self.open_calls.pop(0)


def read_tools(value: Any) -> list[Any] | None:
    """The tools of a record, which may be JSON in a text, as the API has them. Raises ShapeError."""
    tools = unpacked(value)
    if tools is None or tools in ("", []):
        return None
    if not isinstance(tools, list):
        raise ShapeError(f"found {shown(value)}, expected a list of tools. Repair the data.")
    return [_tool(tool) for tool in tools]


def _tool(value: Any) -> Any:
    function = value.get("function", value) if isinstance(value, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise ShapeError(f"found {shown(value)} as a tool, expected a function with a name. Repair the data.")
    return {"type": "function", "function": function}


def _weighted(message: Message, item: Mapping[str, Any]) -> Message:
    weight = item.get("weight")
    if weight is None and message["role"] == "assistant":
        weight = item.get("loss_weight")
    if weight is None:
        return message
    # Tables and other programs write 0.0 and 1.0; anything else is for the checks to refuse.
    is_whole = isinstance(weight, int | float) and weight in (0, 1)
    return {**message, "weight": int(weight) if is_whole else weight}


def _parts(parts: list[Any]) -> str | list[Any]:
    """Parts of a message: one text where they are nothing else."""
    kept = [_part(part) for part in parts if not _is_thought(part)]
    if all(part["type"] == "text" for part in kept):
        return "\n".join(part["text"] for part in kept)
    return kept


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _THOUGHTS


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _TEXT_PARTS:
        text = part.get("text", part.get("value"))
        if isinstance(text, str):
            return {"type": "text", "text": text}
    if kind == "image_url":
        image = part.get("image_url")
        image = {"url": image} if isinstance(image, str) else image
        if isinstance(image, dict) and isinstance(image.get("url"), str):
            return {"type": "image_url", "image_url": image}
    raise ShapeError(
        f"found {shown(part)} as a part of a message, expected a text or an image_url. Repair the data."
    )
