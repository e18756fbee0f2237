"""What the rules see of an example: its turns, from a recipe or from a line of a training file."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

from runner.examples.content import item_of_line

INSTRUCTIONS = ("system", "developer")
# Controls, what is invisible, what combines, halves of characters, and the sign for a lost one.
_RARE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u0300-\u036f\u1161-\u1175\u200b\u202a-\u202e\u2060\u2066-\u2069"
    "\u3099\u309a\ud800-\udfff\ufeff\ufffd\U000e0000-\U000e007f]"
)
# What resident and card numbers begin with.
_LONG_NUMBER = re.compile("[0-9]{4}[0-9 -]{8}")


# What an example is made for: to say it, to prefer one answer to another, or to try and be graded.
Kind = Literal["chat", "preference", "task"]


class Turn(NamedTuple):
    """One message; what is more than text (weight, tool calls, images) is kept as found.

    A tuple, because millions are made.
    """

    role: str
    content: str
    weight: Any = None
    tool_calls: tuple[Any, ...] = ()
    tool_call_id: Any = None
    images: tuple[str, ...] = ()

    @property
    def is_trained(self) -> bool:
        """Whether the loss falls on this message."""
        return self.role == "assistant" and self.weight != 0


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """One example to check, with the number of its tokens.

    A preference has its better answer in `turns` and its worse one in `rejected`, both begin with `n_prompt`
    turns; a task has its `item`. `tools` are those that may be called.
    """

    turns: tuple[Turn, ...]
    n_tokens: int = 0
    kind: Kind = "chat"
    rejected: tuple[Turn, ...] = ()
    n_prompt: int = 0
    item: str = ""
    tools: tuple[Any, ...] = ()

    @cached_property
    def text(self) -> str:
        """All messages in one text: most rules rule out most examples with one look at it."""
        return "\n".join([turn.content for turn in (*self.turns, *self.rejected)])

    @property
    def question(self) -> str:
        """The last user message; empty where there is none."""
        return next((turn.content for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def answer(self) -> str:
        """The last message, where the assistant speaks it."""
        last = self.turns[-1] if self.turns else None
        return last.content if last is not None and last.role == "assistant" else ""

    def places(self) -> Iterator[tuple[str, Turn]]:
        """Every turn with the words that name it in a message."""
        for number, turn in enumerate(self.turns, start=1):
            yield f"message {number} ({turn.role})", turn
        for number, turn in enumerate(self.rejected, start=1):
            yield f"message {number} of the worse answer ({turn.role})", turn


def has_unusual_roles(conversation: Conversation) -> bool:
    """Whether it is anything but instructions, then users and assistants, with an answer at the end."""
    return conversation.kind != "chat" or are_unusual(tuple([turn.role for turn in conversation.turns]))


@lru_cache(maxsize=1024)
def are_unusual(roles: tuple[str, ...]) -> bool:
    """Whether such roles make `has_unusual_roles` true."""
    spoken = [role for role in roles if role not in INSTRUCTIONS]
    has_order = roles[len(roles) - len(spoken) :] == tuple(spoken)
    return not (has_order and {*spoken} == {"user", "assistant"} and roles[-1] == "assistant")


def is_rich(conversation: Conversation) -> bool:
    """Whether there is anything but text: a weight, a tool, an image."""
    return bool(conversation.tools) or any(
        turn.weight is not None or turn.tool_calls or turn.images or turn.role == "tool"
        for turn in (*conversation.turns, *conversation.rejected)
    )


def is_judged(conversation: Conversation) -> bool:
    """Whether it is there to be preferred or graded."""
    return conversation.kind != "chat"


def has_rare_characters(conversation: Conversation) -> bool:
    """Whether there is a character that nobody types."""
    return _RARE.search(conversation.text) is not None


def has_long_number(conversation: Conversation) -> bool:
    """Whether there are digits enough for a number of a person or a card."""
    return _LONG_NUMBER.search(conversation.text) is not None


def is_not_ascii(conversation: Conversation) -> bool:
    """Whether there is more than ASCII."""
    return not conversation.text.isascii()


def conversation_of_turns(turns: Iterable[tuple[str, str]], n_tokens: int) -> Conversation:
    """The conversation of an example that a recipe made, from roles and texts."""
    return Conversation(turns=tuple([Turn(role, content) for role, content in turns]), n_tokens=n_tokens)


def conversation_of_line(line: Mapping[str, Any]) -> Conversation | str:
    """The conversation of one line of a training file, or a sentence on why it is none.

    Formats: https://platform.openai.com/docs/api-reference/fine-tuning/chat-input, preference-input and
    reinforcement-input (2026-11). A line for reinforcement ends with the user and has an item.
    """
    if "preferred_output" in line or "non_preferred_output" in line:
        return _preference(line)
    turns = _turns(line.get("messages"), "messages", "Write one conversation per line.")
    if isinstance(turns, str):
        return turns
    item = item_of_line(line)
    is_task = bool(item) and turns[-1].role != "assistant"
    return Conversation(
        turns=turns,
        kind="task" if is_task else "chat",
        item=json.dumps(item, ensure_ascii=False, sort_keys=True) if is_task else "",
        tools=_tools(line),
    )


def _preference(line: Mapping[str, Any]) -> Conversation | str:
    given = line.get("input")
    parts = (
        (given.get("messages") if isinstance(given, dict) else None, "input.messages"),
        (line.get("preferred_output"), "preferred_output"),
        (line.get("non_preferred_output"), "non_preferred_output"),
    )
    read = []
    for value, name in parts:
        turns = _turns(value, name, "Write a prompt and two answers per line.")
        if isinstance(turns, str):
            return turns
        read.append(turns)
    prompt, better, worse = read
    return Conversation(
        turns=(*prompt, *better),
        kind="preference",
        rejected=worse,
        n_prompt=len(prompt),
        tools=_tools(given),
    )


def _turns(messages: Any, name: str, advice: str) -> tuple[Turn, ...] | str:
    if not isinstance(messages, list) or not messages:
        return f"found no `{name}`, expected a list of messages. {advice}"
    where = "" if name == "messages" else f"{name}, "
    turns = []
    for number, message in enumerate(messages, start=1):
        at = f"{where}message {number}"
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return f"{at}: found no object with a `role`, expected one. Give the message a role."
        content = message.get("content")
        if not isinstance(content, str | list | None):
            return f"{at}: found `content` that is no text, expected text. Write it as text."
        turns.append(_turn(message, content))
    return tuple(turns)


def _tools(holder: Any) -> tuple[Any, ...]:
    tools = holder.get("tools") if isinstance(holder, dict) else None
    return tuple(tools) if isinstance(tools, list) else ()


def _turn(message: dict[str, Any], content: str | list[Any] | None) -> Turn:
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [str(part["text"]) for part in parts if part.get("type") == "text" and "text" in part]
    calls = message.get("tool_calls")
    return Turn(
        role=message["role"],
        content=content if isinstance(content, str) else "\n".join(texts),
        weight=message.get("weight"),
        tool_calls=tuple(calls) if isinstance(calls, list) else () if calls is None else (calls,),
        tool_call_id=message.get("tool_call_id"),
        images=tuple(_image(part) for part in parts if part.get("type") == "image_url"),
    )


def _image(part: dict[str, Any]) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else ""
