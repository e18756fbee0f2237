"""Reads a JSONL training file into conversations."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner.local.training.job import TrainingError

FilePurpose = Literal["training_file", "validation_file"]
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn; only assistant turns of weight 1 are trained on."""

    role: str
    content: str
    weight: int = 1

    @property
    def is_trained(self) -> bool:
        """Whether the loss falls on this message."""
        return self.role == "assistant" and self.weight == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One training example; `number` counts the file's examples from 1, as error messages do."""

    number: int
    messages: tuple[Message, ...]


class InvalidMessageError(ValueError):
    """A message is not text with a role; the text says what was found."""


def read_conversations(path: Path, purpose: FilePurpose) -> list[Conversation]:
    """Read every line of a chat-format JSONL file; empty lines are skipped and not counted.

    Raises TrainingError for the first line that is not a conversation, and when there is none.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"The {purpose} cannot be read: {error.strerror}."
        raise TrainingError("file_not_found", message, purpose) from error
    # Only \n ends a line: U+2028 and U+0085 may stand inside a JSON string.
    lines = [line for line in content.split(b"\n") if line.strip()]
    if not lines:
        raise TrainingError("invalid_n_examples", f"The {purpose} has no examples.", purpose)
    return [_conversation(number, line, purpose) for number, line in enumerate(lines, start=1)]


def parse_messages(value: Any) -> tuple[Message, ...]:
    """Turn the API's `messages` list into messages. Raises InvalidMessageError."""
    if not isinstance(value, list) or not value:
        raise InvalidMessageError("messages must be a list with at least one message")
    return tuple(_message(number, item) for number, item in enumerate(value, start=1))


def invalid_file(purpose: FilePurpose, number: int, problem: str) -> TrainingError:
    """Describe a bad example as the hosted service does."""
    return TrainingError(f"invalid_{purpose}", f"Invalid file format. Example {number}{problem}", purpose)


def _conversation(number: int, line: bytes, purpose: FilePurpose) -> Conversation:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise invalid_file(purpose, number, f" is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise invalid_file(purpose, number, " is not a JSON object.")
    if record.get("tools") or record.get("functions"):
        raise invalid_file(purpose, number, " has tools, which local training does not support.")
    try:
        messages = parse_messages(record.get("messages"))
    except InvalidMessageError as error:
        raise invalid_file(purpose, number, f": {error}.") from error
    if not any(message.is_trained for message in messages):
        raise invalid_file(purpose, number, " has no assistant message of weight 1 to learn from.")
    return Conversation(number=number, messages=messages)


def _message(number: int, value: Any) -> Message:
    if not isinstance(value, dict):
        raise InvalidMessageError(f"message {number} is not an object")
    role, weight = value.get("role"), value.get("weight", 1)
    if role not in ROLES:
        expected = ", ".join(sorted(ROLES))
        raise InvalidMessageError(f"message {number} has role {role!r}; expected one of {expected}")
    if value.get("tool_calls") or value.get("function_call"):
        raise InvalidMessageError(f"message {number} has tool calls, which local training does not support")
    if weight not in (0, 1):
        raise InvalidMessageError(f"message {number} has weight {weight!r}; expected 0 or 1")
    return Message(role=role, content=_text(number, value.get("content")), weight=int(weight))


def _text(number: int, content: Any) -> str:
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        content = "".join(part["text"] for part in content)
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
