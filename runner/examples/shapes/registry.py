"""All formats there are, by the names that recipes use."""

from collections.abc import Callable
from typing import Any

from runner.examples.shapes.chats import read_chatml, read_openai, read_sharegpt
from runner.examples.shapes.instructions import read_alpaca, read_dolly
from runner.examples.shapes.judged import read_completion, read_dpo, read_kto
from runner.examples.shapes.shaped import Columns, Roles, Shaped

Read = Callable[[Columns, Roles], Shaped]


def _openai(columns: Columns, roles: Roles) -> Shaped:
    """OpenAI's messages, or what its files had before: a prompt and its completion."""
    is_older = columns.get("messages") is None and None not in map(columns.get, ("prompt", "completion"))
    return read_completion(columns, roles) if is_older else read_openai(columns, roles)


# The columns of a format that a model is to answer, as they may stand in a record that only asks.
ANSWERS: dict[str, dict[str, Any]] = {
    "alpaca": {"output": ""},
    "chatml": {},
    "dolly": {"response": ""},
    "dpo": {"chosen": "", "rejected": ""},
    "kto": {"completion": "", "label": True},
    "openai": {},
    "sharegpt": {},
}
SHAPES: dict[str, Read] = {
    "alpaca": read_alpaca,
    "chatml": read_chatml,
    "dolly": read_dolly,
    "dpo": read_dpo,
    "kto": read_kto,
    "openai": _openai,
    "sharegpt": read_sharegpt,
}
