"""Take the messages of a conversation from a list in the record."""

from typing import Any

from runner.display import shown
from runner.examples.metering import SandboxError
from runner.hints import listed, nearest
from runner.recipe.model import MessageList

Turn = tuple[str, str]

STANDARD_ROLES = ("system", "developer", "user", "assistant", "tool")


def list_turns(message_list: MessageList, value: Any) -> list[Turn]:
    """Role and content of every item. Raises SandboxError for the first that has none."""
    if not isinstance(value, list):
        raise SandboxError(f"found {shown(value)}, expected a list of messages. Use another field.")
    roles = {role: role for role in STANDARD_ROLES} | dict(message_list.roles)
    turns = []
    for number, item in enumerate(value, start=1):
        try:
            turns.append(_turn(message_list, item, roles))
        except SandboxError as error:
            raise SandboxError(f"item {number}: {error}") from error
    return turns


def _turn(message_list: MessageList, item: Any, roles: dict[str, str]) -> Turn:
    if not isinstance(item, dict):
        raise SandboxError(
            f"found {shown(item)}, expected an object with a role and a text. Use another field."
        )
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
    if not isinstance(value, str):
        raise SandboxError(f"found {shown(value)} under {shown(key)}, expected text. Repair the data.")
    return value
