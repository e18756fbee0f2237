"""The paths that a recipe holds, so that they mean the same from another folder."""

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.recipe.definitions import definitions_at
from runner.recipe.yaml import Document, Keys

# What the schema says of a text: always a path, or a path only where it begins with a dot.
_PATH, _NAME_OR_PATH = "path", "name-or-path"


def moved(document: Document, source: Path, target: Path) -> Document:
    """A document written in one folder as it would be written in another; both are absolute, links resolved.

    Which values are paths is marked in the schema (`"format": "path"`). Equal files get equal paths.
    """
    if source == target:
        return document
    value = deepcopy(document.value)
    for keys, text in list(_texts(value, ())):
        if is_path(keys, text):
            parent = value
            for key in keys[:-1]:
                parent = parent[key]
            path = moved_path(text, source, target)
            # Only a dot tells a model's folder from its name.
            is_dotted = text.startswith(".") and not path.startswith(".")
            parent[keys[-1]] = f"./{path}" if is_dotted and _PATH not in _formats(keys) else path
    return replace(document, value=value)


def moved_path(path: str, source: Path, target: Path) -> str:
    """A relative path from one folder as it is written from another; absolute paths and URLs stay.

    So does `-`, which is no path.
    """
    if path == "-" or path.startswith(("/", "~")) or "://" in path or source == target:
        return path
    folder, parts = source, path.split("/")
    # Only steps between folders that are no links are taken back: after a link, `..` leads elsewhere.
    while len(parts) > 1 and (parts[0] in (".", "..") or target.is_relative_to(folder / parts[0])):
        step = parts.pop(0)
        folder = folder.parent if step == ".." else folder / step
    prefix = Path(os.path.relpath(folder, target)).as_posix()
    return "/".join(parts) if prefix == "." else "/".join((prefix, *parts))


def is_path(keys: Keys, text: str) -> bool:
    """Whether the text at a place of a recipe, or of one of its profiles, is a path."""
    formats = _formats(keys)
    return _PATH in formats or (_NAME_OR_PATH in formats and text.startswith("."))


def _formats(keys: Keys) -> set[str]:
    plain = keys[2:] if keys[:1] == ("profiles",) else keys
    if plain[:1] == ("matrix",) and len(plain) > 1:
        parts = str(plain[1]).split(".")
        plain = tuple(int(part) if part.isdecimal() else part for part in parts)
    return {node.get("format", "") for node in definitions_at(plain)}


def _texts(value: Any, at: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield at, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _texts(item, (*at, key))
