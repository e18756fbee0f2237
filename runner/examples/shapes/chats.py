"""Conversations: OpenAI's messages, ShareGPT's, and ChatML as a list or in one text."""

import re
from typing import Any

from runner.display import shown
from runner.examples.shapes.messages import MessageReader, read_tools
from runner.examples.shapes.shaped import (
    Columns,
    Message,
    Roles,
    Shaped,
    ShapeError,
    first_column,
    list_of,
    missing,
    said,
    text_of,
    with_system,
)

CONVERSATIONS = ("conversations", "conversation", "messages")
_ROLE_KEYS = ("from", "role", "speaker")
_TEXT_KEYS = ("value", "content", "text")
_CHATML_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>\s*|\Z)", re.DOTALL)


def read_openai(columns: Columns, roles: Roles) -> Shaped:
    """`messages` as OpenAI's training files have them, with `tools` or the older `functions`."""
    if columns.get("messages") is None:
        raise missing(columns, ["messages"], "a list of messages with role and content")
    messages = read_messages(list_of(columns, "messages", "a list of messages"), "messages", roles)
    return _chat(columns, messages)


def read_sharegpt(columns: Columns, roles: Roles) -> Shaped:
    """`conversations` of `from` and `value`, with `system` and `tools` beside them. Raises ShapeError."""
    name = first_column(columns, CONVERSATIONS)
    if name is None:
        raise missing(columns, ["conversations"], "a list of messages with from and value")
    messages = read_messages(list_of(columns, name, "a list of messages"), name, roles)
    return _chat(columns, messages)


def read_chatml(columns: Columns, roles: Roles) -> Shaped:
    """`messages` of role and content, or one `text` with <|im_start|> and <|im_end|>. Raises ShapeError."""
    name = first_column(columns, CONVERSATIONS)
    if name is not None:
        messages = read_messages(list_of(columns, name, "a list of messages"), name, roles)
        return _chat(columns, messages)
    name = first_column(columns, ("text", "chatml"))
    if name is None:
        raise missing(columns, ["messages", "text"], "a list of messages, or a text with <|im_start|> in it")
    return _chat(columns, _turns_of(text_of(columns, name), name))


def read_messages(items: list[Any], name: str, roles: Roles) -> list[Message]:
    """The messages of a list whose keys are those of any of these formats. Raises ShapeError."""
    first = items[0] if items and isinstance(items[0], dict) else {}
    role = next((key for key in _ROLE_KEYS if key in first), "role")
    content = next((key for key in _TEXT_KEYS if key in first), "value" if role == "from" else "content")
    try:
        messages = MessageReader(role, content, roles).read(items)
    except ShapeError as error:
        raise ShapeError(f"`{name}` {error}") from error
    if not messages:
        raise ShapeError(f"found an empty list under {shown(name)}, expected messages. Leave the record out.")
    return messages


def _chat(columns: Columns, messages: list[Message]) -> Shaped:
    parallel = columns.get("parallel_tool_calls")
    tools = columns.get("tools")
    return Shaped(
        messages=with_system(columns, messages),
        tools=read_tools(columns.get("functions") if tools is None else tools),
        parallel_tool_calls=parallel if isinstance(parallel, bool) else None,
    )


def _turns_of(text: str, name: str) -> list[Message]:
    turns = [(role, content.rstrip("\n")) for role, content in _CHATML_TURN.findall(text)]
    if not turns:
        raise ShapeError(
            f"found no <|im_start|> in {shown(name)}, expected a conversation in ChatML. "
            "Choose another `from`."
        )
    return read_messages([said(role, content) for role, content in turns], name, {})
