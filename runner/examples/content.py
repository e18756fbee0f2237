"""What an example says: turns of plain text, or a whole line of a training file where it is more."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.examples.message_lists import Turn
from runner.examples.shapes.shaped import Message, Shaped, ShapeError

Method = str
# What a line says beside its messages that belongs into a request too.
REQUEST_KEYS = ("tools", "parallel_tool_calls")
# The keys of a line for reinforcement that are not its item's.
TASK_KEYS = ("messages", *REQUEST_KEYS)


@dataclass(frozen=True, slots=True)
class Rich:
    """An example with tools, weights, names, images or two answers.

    `line` is what the training file says of it, `turns` its text: for people, and for models that are asked.
    """

    line: Mapping[str, Any]
    turns: list[Turn]


Content = list[Turn] | Rich


def turns_of(content: Content) -> list[Turn]:
    """The text of an example."""
    return content.turns if isinstance(content, Rich) else content


def line_of(content: Content) -> Mapping[str, Any] | None:
    """The line of an example that is more than text."""
    return content.line if isinstance(content, Rich) else None


def chat(messages: Sequence[Turn | Message], beside: Mapping[str, Any] | None = None) -> Content:
    """A conversation with what stands `beside` its messages, such as tools. Raises ShapeError."""
    written = [_message(message) for message in messages]
    if not beside and all(_is_plain(message) for message in written):
        return [(message["role"], message["content"]) for message in written]
    return _rich({"messages": written, **(beside or {})}, written)


def preference(
    prompt: Sequence[Turn | Message],
    answers: tuple[Sequence[Turn | Message], Sequence[Turn | Message]],
    beside: Mapping[str, Any] | None = None,
) -> Rich:
    """A prompt with a better and a worse answer. Raises ShapeError."""
    asked = [_message(message) for message in prompt]
    better, worse = ([_message(message) for message in answer] for answer in answers)
    line = {
        "input": {"messages": asked, **(beside or {})},
        "preferred_output": better,
        "non_preferred_output": worse,
    }
    return _rich(line, [*asked, *better])


def task(messages: Sequence[Turn | Message], item: Mapping[str, Any], beside: Mapping[str, Any]) -> Rich:
    """A prompt that the model answers by itself, with the item that a grader sees. Raises ShapeError."""
    asked = [_message(message) for message in messages]
    return _rich({"messages": asked, **beside, **item}, asked)


def content_of_line(line: Mapping[str, Any]) -> Content:
    """What a line of a training file says."""
    messages = next(sequences(line))
    if line.keys() == {"messages"} and all(_is_plain(message) for message in messages):
        return [(message["role"], message["content"]) for message in messages]
    return Rich(line, [turn_of(message) for message in messages])


def told_beside(line: Mapping[str, Any]) -> list[Turn]:
    """What a line says beside its turns, by name: tools, weights, the worse answer, the item."""
    messages = next(sequences(line))
    tools = line.get("tools") or line.get("input", {}).get("tools") or ()
    names = ", ".join(str(tool["function"]["name"]) for tool in tools)
    unlearnt = [str(n) for n, message in enumerate(messages, start=1) if message.get("weight") == 0]
    beside = [("tools", names)] if tools else []
    beside += [("weight 0", f"message {', '.join(unlearnt)}")] if unlearnt else []
    for message in line.get("non_preferred_output", ()):
        role, text = turn_of(message)
        beside.append((f"worse {role}", text))
    if "input" in line:
        return beside
    return beside + [(f"item.{name}", _written(value)) for name, value in item_of_line(line).items()]


def item_of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """What graders see of a line for reinforcement beside its messages."""
    return {name: value for name, value in line.items() if name not in TASK_KEYS}


def content_of(shaped: Shaped, method: Method, item: Mapping[str, Any]) -> Content | None:
    """What a record of a known format is to a method, None for an answer that nobody wants learnt.

    Raises ShapeError where the method needs more than the record has.
    """
    beside = {
        name: value
        for name, value in (
            ("tools", shaped.tools),
            ("parallel_tool_calls", shaped.parallel_tool_calls),
        )
        if value is not None
    }
    if method == "dpo":
        if shaped.preferred is None or shaped.rejected is None:
            raise ShapeError("found one answer, expected a better and a worse one. Use `from: dpo`.")
        return preference(shaped.messages, (shaped.preferred, shaped.rejected), beside)
    if method == "reinforcement":
        return task(_without_answer(shaped.messages), item, beside)
    if shaped.wanted is False:
        return None
    return chat([*shaped.messages, *(shaped.preferred or ())], beside)


def sequences(line: Mapping[str, Any]) -> Iterator[list[Message]]:
    """The conversations that a line trains on: one, or with two answers one for each."""
    if "preferred_output" not in line:
        yield list(line["messages"])
        return
    for name in ("preferred_output", "non_preferred_output"):
        yield [*line["input"]["messages"], *line[name]]


def asked_of(content: Content, n: int) -> tuple[list[Message], dict[str, Any]]:
    """The first `n` messages of an example as a model is asked them, and what its request says beside them.

    Images, names and calls of tools are kept; weights are for training alone.
    """
    if not isinstance(content, Rich):
        return [_message(turn) for turn in content[:n]], {}
    messages = next(sequences(content.line))[:n]
    source = content.line.get("input", content.line)
    beside = {name: source[name] for name in REQUEST_KEYS if name in source}
    return [{key: value for key, value in item.items() if key != "weight"} for item in messages], beside


def holds_images(message: Mapping[str, Any]) -> bool:
    """Whether a message has parts that are not text."""
    content = message.get("content")
    return isinstance(content, list) and any(part.get("type") != "text" for part in content)


def counted_turns(line: Mapping[str, Any]) -> Iterator[list[Turn]]:
    """The conversations of a line with all their text, calls and tools too, for counting tokens."""
    tools = line.get("tools") or line.get("input", {}).get("tools")
    told = [("system", json.dumps(tools, ensure_ascii=False))] if tools else []
    for messages in sequences(line):
        yield [*told, *(_counted(message) for message in messages)]


def turn_of(message: Mapping[str, Any]) -> Turn:
    """A message as text: calls of tools in brackets, a mark for every image."""
    content = message.get("content")
    calls = message.get("tool_calls")
    lines = [content] if isinstance(content, str) else []
    lines += [_part_text(part) for part in content] if isinstance(content, list) else []
    lines += [_call_text(call) for call in calls] if isinstance(calls, list) else []
    return message["role"], "\n".join(lines)


def _part_text(part: Any) -> str:
    is_text = isinstance(part, dict) and part.get("type") == "text"
    return str(part.get("text", "")) if is_text else "[image]"


def _call_text(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return f"[{call}]"
    return f"[{function.get('name')}({function.get('arguments')})]"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _counted(message: Message) -> Turn:
    role, text = turn_of(message)
    return role, f"{message['name']}\n{text}" if "name" in message else text


def _message(message: Turn | Message) -> Message:
    return {"role": message[0], "content": message[1]} if isinstance(message, tuple) else message


def _is_plain(message: Message) -> bool:
    return message.keys() == {"role", "content"} and isinstance(message["content"], str)


def _without_answer(messages: list[Message]) -> list[Message]:
    end = len(messages)
    while end and messages[end - 1]["role"] != "user":
        end -= 1
    if not end:
        raise ShapeError("found no message of the user, expected one to answer. Leave the record out.")
    return messages[:end]


def _rich(line: Mapping[str, Any], shown: Iterable[Message]) -> Rich:
    # Text from templates was looked at already; what comes from the record as it is was not.
    try:
        json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ShapeError("found half of a surrogate pair, expected whole characters. Repair it.") from None
    except ValueError:
        raise ShapeError(
            "found a number that JSON does not have, expected a finite one. Repair it."
        ) from None
    return Rich(line, [turn_of(message) for message in shown])
