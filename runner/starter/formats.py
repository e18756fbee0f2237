"""Which known format a sample of records has, told by its columns and by reading every record of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runner.display import one_line
from runner.examples.content import content_of
from runner.examples.shapes.chats import CONVERSATIONS
from runner.examples.shapes.judged import CHOSEN, COMPLETIONS, LABELS, REJECTED
from runner.examples.shapes.registry import SHAPES
from runner.examples.shapes.shaped import Columns, ShapeError, first_column, unpacked

# A few spoiled records do not hide what the others are.
MIN_SHARE = 0.9
PROMPTS = ("prompt", "question", "input", "instruction", "system", *CONVERSATIONS)
BESIDE = ("tools", "functions", "parallel_tool_calls", "system")
# The columns of each format, for saying which others are left out.
COLUMNS = {
    "alpaca": ("instruction", "input", "output", "history", *BESIDE),
    "chatml": ("text", "chatml", *CONVERSATIONS, *BESIDE),
    "dolly": ("instruction", "context", "response", "system"),
    "dpo": (*PROMPTS, *CHOSEN, *REJECTED, *BESIDE),
    "kto": (*PROMPTS, *COMPLETIONS, *LABELS, *BESIDE),
    "openai": ("messages", *BESIDE),
    "sharegpt": (*CONVERSATIONS, *BESIDE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A format with the method that it is made for, and a line on each thing that told it."""

    shape: str
    method: str
    explanation: tuple[str, ...]


def find_format(records: Sequence[dict[str, Any]], key: str | None = None) -> Found | None:
    """The format that nearly all records have beside their key; None where there is none."""
    told = _told(records[0])
    if told is None:
        return None
    shape, columns = told
    method = "dpo" if shape == "dpo" else "supervised"
    problems = [problem for record in records if (problem := _problem(shape, method, record))]
    n_read = len(records) - len(problems)
    if n_read < MIN_SHARE * len(records):
        return None
    names = ", ".join(one_line(name) for name in columns)
    lines = [f"format {shape}: {names} in {n_read} of {len(records)} sampled records"]
    if method != "supervised":
        lines.append(f"method {method}: every record has a better and a worse answer")
    if shape == "kto":
        lines.append("unwanted answers are left out: supervised training learns the wanted ones")
    if any(record.get("tools") or record.get("functions") for record in records):
        lines.append("tools are taken along; choose a model whose chat template has a place for them")
    if problems:
        what = "record is" if len(problems) == 1 else "records are"
        lines.append(f"warning: {len(problems)} {what} not of it: {one_line(problems[0], limit=200)}")
    left = [name for name in dict.fromkeys(key for record in records for key in record)]
    left = [one_line(name) for name in left if name not in (*COLUMNS[shape], key)]
    lines += [f"left out: {', '.join(left)}"] if left else []
    return Found(shape=shape, method=method, explanation=tuple(lines))


def _told(record: Columns) -> tuple[str, list[str]] | None:
    """The format that the columns of a record look like, with those that tell it."""
    chosen, rejected = first_column(record, CHOSEN), first_column(record, REJECTED)
    if chosen and rejected:
        return "dpo", [chosen, rejected]
    label, answer = first_column(record, LABELS), first_column(record, (*COMPLETIONS, *CONVERSATIONS))
    asked = first_column(record, PROMPTS)
    if label and answer and asked and _is_judgement(record[label]):
        return "kto", list(dict.fromkeys([asked, answer, label]))
    if record.get("instruction") is not None:
        for shape, column in (("alpaca", "output"), ("dolly", "response")):
            if record.get(column) is not None:
                return shape, ["instruction", column]
    name = first_column(record, CONVERSATIONS)
    if name is not None:
        return _chat(name, unpacked(record[name]))
    text = record.get("text")
    return ("chatml", ["text"]) if isinstance(text, str) and "<|im_start|>" in text else None


def _is_judgement(value: Any) -> bool:
    """Whether a label says yes or no; a number may as well be a class."""
    return isinstance(value, bool) or str(value).strip().lower() in ("true", "false")


def _chat(name: str, turns: Any) -> tuple[str, list[str]] | None:
    first = turns[0] if isinstance(turns, list) and turns and isinstance(turns[0], dict) else {}
    if {"from", "value"} <= set(first):
        return "sharegpt", [name]
    return ("openai", [name]) if name == "messages" and "role" in first else None


def _problem(shape: str, method: str, record: Columns) -> str:
    try:
        content_of(SHAPES[shape](record, {}), method, {})
    except ShapeError as error:
        return str(error)
    return ""
