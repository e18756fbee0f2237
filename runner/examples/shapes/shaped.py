"""What a record of a known format says, before a training method decides what is written of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.display import shown
from runner.examples.metering import SandboxError
from runner.hints import listed, nearest

# A message as OpenAI's API has it.
Message = dict[str, Any]
Columns = Mapping[str, Any]
Roles = Mapping[str, str]


class ShapeError(SandboxError):
    """A record is not of the format it was declared as; the text says what was found and expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """The messages of a record. With two answers, or one that was judged, `messages` is what they answer.

    `wanted` says of a judged answer, which is `preferred` then, whether it is one to learn from.
    """

    messages: list[Message]
    tools: list[Any] | None = None
    parallel_tool_calls: bool | None = None
    preferred: list[Message] | None = None
    rejected: list[Message] | None = None
    wanted: bool | None = None


def first_column(columns: Columns, names: Iterable[str]) -> str | None:
    """The first of some names under which a record has anything."""
    return next((name for name in names if columns.get(name) is not None), None)


def missing(columns: Columns, names: Iterable[str], expected: str) -> ShapeError:
    """Say that a record has none of some columns."""
    wanted = list(names)
    hint = next((near for name in wanted for near in [nearest(name, columns)] if near), "")
    advice = hint or f"Name it under `fields`, such as `{wanted[0]}: your_column`."
    return ShapeError(
        f"found no {' or '.join(map(shown, wanted))}, expected {expected}. {advice} "
        f"The record has {listed(columns)}."
    )


def text_of(columns: Columns, name: str, *, default: str | None = None) -> str:
    """A column's text; numbers are written out. Raises ShapeError for what is neither, or is absent."""
    value = columns.get(name)
    if value is None:
        if default is not None:
            return default
        raise missing(columns, [name], "text")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if not isinstance(value, str):
        raise ShapeError(f"found {shown(value)} under {shown(name)}, expected text. Repair the data.")
    return value


def list_of(columns: Columns, name: str, what: str) -> list[Any]:
    """A column's list; tables keep lists as JSON in a text. Raises ShapeError."""
    value = unpacked(columns[name])
    if not isinstance(value, list):
        raise ShapeError(
            f"found {shown(columns[name])} under {shown(name)}, expected {what}. Repair the data."
        )
    return value


def unpacked(value: Any) -> Any:
    """A list or object that stands as JSON in a text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def said(role: str, content: str) -> Message:
    """A message of text."""
    return {"role": role, "content": content}


def with_system(columns: Columns, messages: list[Message]) -> list[Message]:
    """The messages after those of the record's own `system`, where it has one and they have none."""
    system = text_of(columns, "system", default="")
    if not system or (messages and messages[0]["role"] in ("system", "developer")):
        return messages
    return [said("system", system), *messages]
