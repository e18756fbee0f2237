"""A composed recipe as YAML that reads back as the same recipe, with the origin of every value beside it."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

from runner.display import neutralise, one_line
from runner.recipe.origins import Rendered
from runner.recipe.yaml import Keys, is_plain_text

# Origins are aligned as far to the right as this; longer lines carry theirs at the end.
MAX_COLUMN = 60
_PLAIN = re.compile(r"(?!\.\.\.)[\w./][\w./@+-]*( [\w./@+-]+)*")
Line = tuple[str, Keys | None]


def recipe_yaml(rendered: Rendered) -> str:
    """The recipe alone; a valid recipe in the folder of the one that was rendered."""
    return "\n".join(text for text, _ in _mapping_lines(rendered.value, (), ""))


def recipe_with_origins(rendered: Rendered) -> str:
    """The recipe with a comment at every value that says where it was written."""
    lines = list(_mapping_lines(rendered.value, (), ""))
    widths = [_width(text) for text, keys in lines if keys is not None]
    column = max((width for width in widths if width <= MAX_COLUMN), default=0)
    return "\n".join(_with_origin(text, keys, rendered, column) for text, keys in lines)


def scalar_text(value: Any) -> str:
    """A scalar, or an empty list or mapping, on one line of YAML that our reader takes for the same value."""
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and is_plain_text(value) and neutralise(value) == value
        # What neutralising writes for a character is also its escape in a quoted scalar.
        return value if is_plain else neutralise(json.dumps(value, ensure_ascii=False))
    return json.dumps(value)


def _with_origin(text: str, keys: Keys | None, rendered: Rendered, column: int) -> str:
    if keys is None:
        return text
    padding = " " * max(0, column - _width(text))
    return f"{text}{padding}  # {one_line(rendered.origins[keys], limit=200)}"


def _mapping_lines(value: Any, at: Keys, indent: str) -> Iterator[Line]:
    for key, item in value.items():
        yield from _entry_lines(f"{indent}{scalar_text(key)}:", item, (*at, key), f"{indent}  ")


def _entry_lines(head: str, item: Any, at: Keys, indent: str) -> Iterator[Line]:
    if isinstance(item, dict) and item:
        yield head, None
        yield from _mapping_lines(item, at, indent)
    elif isinstance(item, list) and item:
        yield head, None
        for index, element in enumerate(item):
            yield from _item_lines(element, (*at, index), indent)
    elif isinstance(item, str) and _is_block(item):
        chomping = "|" if item.endswith("\n") else "|-"
        yield f"{head} {chomping}", at
        for line in item.removesuffix("\n").split("\n"):
            yield f"{indent}{line}" if line else "", None
    else:
        yield f"{head} {scalar_text(item)}", at


def _item_lines(element: Any, at: Keys, indent: str) -> Iterator[Line]:
    if isinstance(element, dict) and element:
        lines = _mapping_lines(element, at, f"{indent}  ")
    elif isinstance(element, list) and element:
        lines = (
            line
            for index, item in enumerate(element)
            for line in _item_lines(item, (*at, index), f"{indent}  ")
        )
    else:
        yield from _entry_lines(f"{indent}-", element, at, f"{indent}  ")
        return
    first, keys = next(lines)
    yield f"{indent}- {first.removeprefix(f'{indent}  ')}", keys
    yield from lines


def _is_block(text: str) -> bool:
    """Whether a text of several lines can be shown line by line without a loss."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and neutralise(text) == text
        and lines[0] == lines[0].lstrip()
        and bool(lines[0] and lines[-1])
        and not any(line != line.rstrip() for line in lines)
    )


def _width(text: str) -> int:
    """Columns on a terminal: a Korean syllable takes two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
