"""Reads a JSONL training file into conversations, preferences or tasks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner.local.training.job import TrainingError
from runner.local.training.messages import InvalidMessageError, Message, parse_messages, parse_tools

FilePurpose = Literal["training_file", "validation_file"]
# What stands beside the messages of a task and is not its item.
ASKING = ("tools", "parallel_tool_calls")
OUTPUT_ROLES = frozenset({"assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One training example; `number` counts the file's examples from 1, as error messages do."""

    number: int
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A prompt with the answer that is preferred and one that is not; only the answers are trained on."""

    number: int
    prompt: tuple[Message, ...]
    preferred: tuple[Message, ...]
    non_preferred: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A prompt to answer and the item that the grader sees: the line's other keys."""

    number: int
    prompt: tuple[Message, ...]
    item: dict[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()


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


def _conversation(number: int, line: bytes, purpose: FilePurpose) -> Conversation:
    record = _record(number, line, purpose)
    if "preferred_output" in record:
        raise _other_method(purpose, "fine-tune-preference", "dpo")
    messages = _part(number, purpose, record, "messages")
    if not any(message.is_trained for message in messages):
        raise invalid_file(purpose, number, " has no assistant message of weight 1 to learn from.")
    return Conversation(number=number, messages=messages, tools=_tools(number, record, purpose))


def _preference(number: int, line: bytes, purpose: FilePurpose) -> Preference:
    record = _record(number, line, purpose)
    if "messages" in record:
        raise _other_method(purpose, "fine-tune-chat", "supervised")
    prompt = record.get("input")
    if not isinstance(prompt, dict):
        raise invalid_file(purpose, number, " has no object 'input'.")
    return Preference(
        number=number,
        prompt=_part(number, purpose, prompt, "messages"),
        preferred=_output(number, purpose, record, "preferred_output"),
        non_preferred=_output(number, purpose, record, "non_preferred_output"),
        tools=_tools(number, prompt, purpose),
    )


def _task(number: int, line: bytes, purpose: FilePurpose) -> Task:
    record = _record(number, line, purpose)
    if "preferred_output" in record:
        raise _other_method(purpose, "fine-tune-preference", "dpo")
    prompt = _part(number, purpose, record, "messages")
    if prompt[-1].role != "user":
        raise invalid_file(
            purpose, number, f" ends with a message of the {prompt[-1].role}, expected the user."
        )
    item = {name: value for name, value in record.items() if name not in ("messages", *ASKING)}
    return Task(number=number, prompt=prompt, item=item, tools=_tools(number, record, purpose))


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


def _tools(number: int, holder: Mapping[str, Any], purpose: FilePurpose) -> tuple[Mapping[str, Any], ...]:
    if holder.get("functions"):
        raise invalid_file(purpose, number, " has functions; expected them under tools.")
    try:
        return parse_tools(holder.get("tools"))
    except InvalidMessageError as error:
        raise invalid_file(purpose, number, f": {error}.") from error


def _other_method(purpose: FilePurpose, form: str, method: str) -> TrainingError:
    """Describe a file made for another method as the hosted service does."""
    problem = f"The file is in the {form} format, but the specified fine-tuning job is not using '{method}'"
    return TrainingError(f"invalid_{purpose}", f"{problem} as the training method.", purpose)
