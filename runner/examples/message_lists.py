"""Take the messages of a conversation from a list in the record."""

from typing import Any

from runner.display import shown
from runner.examples.metering import SandboxError
from runner.examples.shapes.messages import ROLES, MessageReader
from runner.examples.shapes.shaped import Message
from runner.hints import listed, nearest
from runner.recipe.model import MessageList

Turn = tuple[str, str]

# What `keep: [tool_calls]` brings along: calls, the older form of one, and which call a result answers.
_CALLS = ("tool_calls", "function_call", "tool_call_id")


def list_turns(message_list: MessageList, value: Any) -> list[Turn | Message]:
    """Every item as role and content, or as a message with more. Raises SandboxError for what is none."""
    if not isinstance(value, list):
        raise SandboxError(f"found {shown(value)}, expected a list of messages. Use another field.")
    roles = {role: role for role in ROLES} | dict(message_list.roles)
    reader = MessageReader(message_list.role, message_list.content, roles) if message_list.keep else None
    turns: list[Turn | Message] = []
    for number, item in enumerate(value, start=1):
        try:
            if isinstance(item, str) and message_list.speakers:
                turns.append((message_list.speakers[(number - 1) % len(message_list.speakers)], item))
            elif reader is None:
                turns.append(_turn(message_list, item, roles))
            else:
                turns.append(_message(message_list, item, reader))
        except SandboxError as error:
            raise SandboxError(f"item {number}: {error}") from error
    return turns


def _message(message_list: MessageList, item: Any, reader: MessageReader) -> Message:
    """An item with those of its other keys that are part of the message."""
    if not isinstance(item, dict):
        return reader.message(item)
    names = [message_list.role, message_list.content]
    for name in message_list.keep:
        names += _CALLS if name == "tool_calls" else [name]
    return reader.message({name: item[name] for name in names if name in item})


def _turn(message_list: MessageList, item: Any, roles: dict[str, str]) -> Turn:
    if not isinstance(item, dict):
        advice = (
            "Say who speaks: `speakers: [user, assistant]`."
            if isinstance(item, str)
            else "Use another field."
        )
        raise SandboxError(f"found {shown(item)}, expected an object with a role and a text. {advice}")
    name = _text(item, message_list.role, "role")
    if name not in roles:
        hint = nearest(name, roles) or "Say under `roles` which role it stands for."
        raise SandboxError(f"found the role {shown(name)}, expected one of {listed(roles)}. {hint}")
    return roles[name], _text(item, message_list.content, "content")


def _text(item: dict[str, Any], key: str, option: str) -> str:
    if key not in item:
        hint = nearest(key, item) or f"Name the key under `{option}`."
        raise SandboxError(f"found no {shown(key)}, expected text. {hint} The item has {listed(item)}.")
    value = item[key]
    if value is None and any(item.get(name) for name in _CALLS):
        raise SandboxError(
            f"found a call of a tool without {shown(key)}, expected text. "
            "Take calls along: `keep: [tool_calls]`."
        )
    if not isinstance(value, str):
        raise SandboxError(f"found {shown(value)} under {shown(key)}, expected text. Repair the data.")
    return value
