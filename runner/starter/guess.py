"""From a data file to the text of a starter recipe."""

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from runner.display import one_line
from runner.errors import RunnerError
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.base import ITEMS
from runner.sources.garbled import garbled_sentence
from runner.sources.read import read_records
from runner.starter.columns import (
    QUESTIONS,
    Column,
    Parts,
    find_columns,
    find_conversation,
    find_key,
    find_parts,
    reason,
)
from runner.starter.formats import Found, find_format
from runner.starter.reading import find_reading

SAMPLE = 200
SCHEMA_FILE = "recipe.schema.json"
_HANGUL = re.compile("[가-힣]")
_TAIL = """
split:
  validation: 0.1

training:
  provider: local
  model: tiny-1
  hyperparameters:
    n_epochs: auto
  seed: 42
"""
_TURNS = f"""fields:
  conversation: {ITEMS}

template:
  messages:
    from: conversation
    speakers:
      - user
      - assistant
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A starter recipe and, a line each, what it was guessed from."""

    text: str
    explanation: tuple[str, ...]


def guess_recipe(data: Path, recipe: Path, project: Project) -> Guess:
    """Write a recipe for a data file from its first records. Raises RunnerError when nothing fits."""
    real, folder = data.resolve(), recipe.resolve().parent
    path = os.path.relpath(real, folder)
    reading = find_reading(data, path, project)
    source = reading.source
    # Read where the data lies: the recipe's folder may have to be made yet.
    there = replace(source, path=real.name)
    records = [record.data for record in islice(read_records((there,), real.parent, project), SAMPLE)]
    if not records:
        raise RunnerError(f"{data}: found no records. A recipe needs at least ten.")
    columns = find_columns(records)
    key = find_key(columns, len(records))
    schema = os.path.relpath(project.state / SCHEMA_FILE, folder)
    head = _head(recipe, schema, source, key, project)
    found = find_format(records, key.name if key else None)
    if found:
        explanation = (*reading.notes, *found.explanation, *_key_lines(key, records), *_warnings(columns))
        return Guess(text=head + _format_text(found) + _tail(found.method), explanation=explanation)
    if all(list(record) == [ITEMS] and len(record[ITEMS]) > 1 for record in records):
        line = f"messages from {ITEMS}, the texts of each list: user and assistant in turn"
        explanation = (*reading.notes, line, *_warnings(columns))
        return Guess(text=head + _TURNS + _TAIL, explanation=explanation)
    conversation = find_conversation(records[0])
    if conversation:
        line = "messages from {}: role {}, content {}".format(*conversation)
        explanation = (*reading.notes, line, *_warnings(columns))
        return Guess(text=head + _conversation_text(*conversation) + _TAIL, explanation=explanation)
    parts = find_parts(columns, key)
    if parts is None:
        names = ", ".join(one_line(name) for name in records[0])
        raise RunnerError(
            f"{data}: found no two texts for a question and an answer among {names}. "
            "Write a recipe by hand: `fields` says where they are read, `template` what is made of them."
        )
    named = [
        ("category", parts.category),
        ("question", parts.question),
        ("answer", parts.answer),
        ("key", key),
    ]
    shown = [_explained(role, column, len(records)) for role, column in named if column]
    used = {column.name for _, column in named if column}
    unused = [one_line(name) for name in dict.fromkeys(key for record in records for key in record)]
    unused = [name for name in unused if name not in used and not _is_inside(name, named)]
    shown += [f"left out: {', '.join(unused)}"] if unused else []
    explanation = (*reading.notes, *shown, *_warnings(columns))
    return Guess(text=head + _question_text(parts, len(records)) + _TAIL, explanation=explanation)


def _head(recipe: Path, schema: str, source: Source, key: Column | None, project: Project) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", recipe.stem.lower()).strip("-") or "recipe"
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# finetune run {shlex.quote(project.name_of(recipe))}",
        "version: 1",
        f"name: {name}",
        "",
        "sources:",
        f"  - path: {_quoted(source.path)}",
    ]
    for option in ("format", "member", "sheet", "table", "records"):
        value = getattr(source, option)
        lines += [f"    {option}: {_quoted(value)}"] if value is not None else []
    if source.encoding != "utf-8":
        lines.append(f"    encoding: {source.encoding}")
    if key:
        lines.append(f"key: {_quoted(key.path)}")
    return "\n".join(lines) + "\n\n"


def _key_lines(key: Column | None, records: Sequence[object]) -> list[str]:
    return [_explained("key", key, len(records))] if key else []


def _format_text(found: Found) -> str:
    return f"template:\n  from: {found.shape}\n"


def _tail(method: str) -> str:
    written = "" if method == "supervised" else f"  method: {method}\n"
    return _TAIL.replace("  model: tiny-1\n", f"  model: tiny-1\n{written}")


def _conversation_text(path: str, role: str, content: str) -> str:
    return f"""fields:
  conversation: {_quoted(path)}

template:
  messages:
    from: conversation
    role: {_quoted(role)}
    content: {_quoted(content)}
    roles: {{human: user, gpt: assistant, customer: user, agent: assistant}}
"""


def _question_text(parts: Parts, n_records: int) -> str:
    named = {"category": parts.category, "question": parts.question, "answer": parts.answer}
    lines = ["fields:"]
    for role, column in named.items():
        lines += _field_lines(role, column, is_complete=column.count == n_records) if column else []
    partial = {"question": parts.question.count < n_records, "answer": parts.answer.count < n_records}
    needed = [f"{role} | length > 0" for role, is_partial in partial.items() if is_partial]
    if needed:
        lines.append(f"where: {' and '.join(needed)}")
    lines += ["", "template:", "  messages:"]
    contents = {"system": "{{ category }}"} if parts.category else {}
    for role, content in {**contents, "user": _asked(parts.question), "assistant": "{{ answer }}"}.items():
        lines += [f"    - role: {role}", f"      content: {json.dumps(content, ensure_ascii=False)}"]
    return "\n".join(lines) + "\n"


def _field_lines(role: str, column: Column, *, is_complete: bool) -> list[str]:
    if not column.join and is_complete:
        return [f"  {role}: {_quoted(column.path)}"]
    joined = ['    join: "\\n"', "    trim: true"] if column.join else []
    default = [] if is_complete else ['    default: ""']
    return [f"  {role}:", f"    path: {_quoted(column.path)}", *joined, *default]


def _asked(question: Column) -> str:
    if question.name.lower() in QUESTIONS:
        return "{{ question }}"
    korean = 2 * sum(bool(_HANGUL.search(text)) for text in question.texts) > len(question.texts)
    return "{{ question }} 관련 내용을 알려줘." if korean else "Tell me about {{ question }}."


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[^\W\d][\w./-]*(\[\d*\])?[\w.]*", text)
    safe = plain and text not in ("true", "false", "null")
    return text if safe else json.dumps(text, ensure_ascii=False)


def _explained(role: str, column: Column, total: int) -> str:
    example = f", such as '{one_line(column.texts[0], limit=40)}'" if column.texts else ""
    return (
        f"{role} from {column.path}, {reason(role, column)}: "
        f"in {column.count} of {total} sampled records{example}"
    )


def _is_inside(name: str, named: Sequence[tuple[str, Column | None]]) -> bool:
    """Whether a value that is used stands inside the one with this name."""
    starts = tuple(f"{step}[" for step in (name, json.dumps(name, ensure_ascii=False)))
    return any(column is not None and column.path.startswith(starts) for _, column in named)


def _warnings(columns: list[Column]) -> list[str]:
    """A line for every column whose texts an earlier program spoiled."""
    found = ((column.name, garbled_sentence(column.texts)) for column in columns)
    return [f"warning: {one_line(name)}: {sentence}" for name, sentence in found if sentence]
