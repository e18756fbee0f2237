"""Single questions with their answer: Alpaca's and Dolly's columns."""

from typing import Any

from runner.display import shown
from runner.examples.shapes.messages import read_tools
from runner.examples.shapes.shaped import (
    Columns,
    Message,
    Roles,
    Shaped,
    ShapeError,
    list_of,
    missing,
    said,
    text_of,
    with_system,
)


def read_alpaca(columns: Columns, _: Roles) -> Shaped:
    """`instruction`, `input`, `output`, and maybe `system`, `history` and `tools`. Raises ShapeError."""
    prompt = alpaca_prompt(columns)
    answer = said("assistant", text_of(columns, "output"))
    return Shaped(messages=[*prompt, answer], tools=read_tools(columns.get("tools")))


def alpaca_prompt(columns: Columns) -> list[Message]:
    """The messages before the answer. Raises ShapeError.

    The input stands on the lines after the instruction, as in LLaMA-Factory (2026-11):
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
    """
    if columns.get("instruction") is None:
        raise missing(columns, ["instruction"], "what is asked")
    parts = (text_of(columns, name, default="") for name in ("instruction", "input"))
    asked = said("user", "\n".join(part for part in parts if part))
    return with_system(columns, [*_history(columns), asked])


def read_dolly(columns: Columns, _: Roles) -> Shaped:
    """`instruction`, `context` and `response`; `category` is not part of what is said. Raises ShapeError."""
    parts = (text_of(columns, "instruction"), text_of(columns, "context", default=""))
    asked = said("user", "\n\n".join(part for part in parts if part))
    answer = said("assistant", text_of(columns, "response"))
    return Shaped(messages=with_system(columns, [asked, answer]))


def _history(columns: Columns) -> list[Message]:
    if columns.get("history") in (None, "", []):
        return []
    messages = []
    for number, pair in enumerate(list_of(columns, "history", "a list of pairs"), start=1):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise _no_pair(number, pair)
        messages += [said("user", pair[0]), said("assistant", pair[1])]
    return messages


def _no_pair(number: int, found: Any) -> ShapeError:
    return ShapeError(
        f"`history` item {number}: found {shown(found)}, expected a question and its answer. Repair the data."
    )
