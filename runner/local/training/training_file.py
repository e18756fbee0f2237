"""Reads a JSONL training file into conversations, preferences or tasks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner.local.training.job import TrainingError

FilePurpose = Literal["training_file", "validation_file"]
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
OUTPUT_ROLES = frozenset({"assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn; only assistant turns of weight 1 are trained on. Only chats have tool calls."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One training example; `number` counts the file's examples from 1, as error messages do."""

    number: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A prompt with the answer that is preferred and one that is not; only the answers are trained on."""

    number: int
    prompt: tuple[Message, ...]
    preferred: tuple[Message, ...]
    non_preferred: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A prompt to answer and the item that the grader sees: the line's other keys."""

    number: int
    prompt: tuple[Message, ...]
    item: dict[str, Any]


class InvalidMessageError(ValueError):
    """A message is not text with a role; the text says what was found."""


def read_conversations(path: Path, purpose: FilePurpose) -> list[Conversation]:
    """Read every line of a chat-format JSONL file; empty lines are skipped and not counted.

    Raises TrainingError for the first line that is not a conversation, and when there is none.
    """
    return [_conversation(number, line, purpose) for number, line in _lines(path, purpose)]


def read_preferences(path: Path, purpose: FilePurpose) -> list[Preference]:
    """Read every line of a JSONL file of preferences: `input`, `preferred_output`, `non_preferred_output`.

    Raises as `read_conversations` does. Shape: https://developers.openai.com/api/docs/guides/direct-preference-optimization
    (2026-11).
    """
    return [_preference(number, line, purpose) for number, line in _lines(path, purpose)]


def read_tasks(path: Path, purpose: FilePurpose) -> list[Task]:
    """Read every line of a JSONL file for reinforcement: `messages` that end with the user's, and the item.

    Raises as `read_conversations` does. Shape: https://developers.openai.com/api/docs/guides/reinforcement-fine-tuning
    (2026-11).
    """
    return [_task(number, line, purpose) for number, line in _lines(path, purpose)]


def parse_messages(value: Any) -> tuple[Message, ...]:
    """Turn the API's `messages` list into messages. Raises InvalidMessageError."""
    if not isinstance(value, list) or not value:
        raise InvalidMessageError("messages must be a list with at least one message")
    return tuple(_message(number, item) for number, item in enumerate(value, start=1))


def invalid_file(purpose: FilePurpose, number: int, problem: str) -> TrainingError:
    """Describe a bad example as the hosted service does."""
    return TrainingError(f"invalid_{purpose}", f"Invalid file format. Example {number}{problem}", purpose)


def _lines(path: Path, purpose: FilePurpose) -> list[tuple[int, bytes]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"The {purpose} cannot be read: {error.strerror}."
        raise TrainingError("file_not_found", message, purpose) from error
    # Only \n ends a line: U+2028 and U+0085 may stand inside a JSON string.
    lines = [line for line in content.split(b"\n") if line.strip()]
    if not lines:
        raise TrainingError("invalid_n_examples", f"The {purpose} has no examples.", purpose)
    return list(enumerate(lines, start=1))


def _record(number: int, line: bytes, purpose: FilePurpose) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise invalid_file(purpose, number, f" is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise invalid_file(purpose, number, " is not a JSON object.")
    return record


def _refuse_tools(number: int, record: dict[str, Any], purpose: FilePurpose) -> None:
    if record.get("tools") or record.get("functions"):
        raise invalid_file(purpose, number, " has tools, which local training does not support.")


def _conversation(number: int, line: bytes, purpose: FilePurpose) -> Conversation:
    record = _record(number, line, purpose)
    if "preferred_output" in record:
        raise _other_method(purpose, "fine-tune-preference", "dpo")
    _refuse_tools(number, record, purpose)
    try:
        messages = parse_messages(record.get("messages"))
    except InvalidMessageError as error:
        raise invalid_file(purpose, number, f": {error}.") from error
    if not any(message.is_trained for message in messages):
        raise invalid_file(purpose, number, " has no assistant message of weight 1 to learn from.")
    return Conversation(number=number, messages=messages)


def _preference(number: int, line: bytes, purpose: FilePurpose) -> Preference:
    record = _record(number, line, purpose)
    if "messages" in record:
        raise _other_method(purpose, "fine-tune-chat", "supervised")
    prompt = record.get("input")
    if not isinstance(prompt, dict):
        raise invalid_file(purpose, number, " has no object 'input'.")
    _refuse_tools(number, prompt, purpose)
    return Preference(
        number=number,
        prompt=_part(number, purpose, prompt, "messages"),
        preferred=_output(number, purpose, record, "preferred_output"),
        non_preferred=_output(number, purpose, record, "non_preferred_output"),
    )


def _task(number: int, line: bytes, purpose: FilePurpose) -> Task:
    record = _record(number, line, purpose)
    if "preferred_output" in record:
        raise _other_method(purpose, "fine-tune-preference", "dpo")
    _refuse_tools(number, record, purpose)
    prompt = _part(number, purpose, record, "messages")
    if prompt[-1].role != "user":
        raise invalid_file(
            purpose, number, f" ends with a message of the {prompt[-1].role}, expected the user."
        )
    return Task(number=number, prompt=prompt, item={k: v for k, v in record.items() if k != "messages"})


def _output(number: int, purpose: FilePurpose, record: dict[str, Any], name: str) -> tuple[Message, ...]:
    messages = _part(number, purpose, record, name)
    if not all(message.role in OUTPUT_ROLES for message in messages):
        raise invalid_file(purpose, number, f": {name} may hold assistant and tool messages only.")
    if not any(message.is_trained for message in messages):
        raise invalid_file(purpose, number, f": {name} has no assistant message.")
    return messages


def _part(number: int, purpose: FilePurpose, value: dict[str, Any], name: str) -> tuple[Message, ...]:
    try:
        return parse_messages(value.get(name))
    except InvalidMessageError as error:
        where = "" if name == "messages" else f"{name}: "
        raise invalid_file(purpose, number, f": {where}{error}.") from error


def _other_method(purpose: FilePurpose, form: str, method: str) -> TrainingError:
    """Describe a file made for another method as the hosted service does."""
    problem = f"The file is in the {form} format, but the specified fine-tuning job is not using '{method}'"
    return TrainingError(f"invalid_{purpose}", f"{problem} as the training method.", purpose)


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
