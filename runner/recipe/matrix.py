"""A recipe's matrix: one combination of values per job, each with a short name."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from runner.canonical import canonical_json
from runner.display import one_line
from runner.errors import InvalidInputError
from runner.issues import Issue
from runner.recipe.assignments import Assignment, fixed_key
from runner.recipe.yaml import Document, Scalar, is_plain_text

MAX_COMBINATIONS = 64
LAYER = "matrix"
_PLAIN = re.compile(r"[\w./@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of one key; `name` is the end of the key's path that tells it from the other keys."""

    name: str
    assignment: Assignment

    @property
    def text(self) -> str:
        """The value as it stands in the names of combinations."""
        return value_text(self.assignment.value)

    def __str__(self) -> str:
        return f"{self.name}={self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One value for every key of a matrix, in the order of their paths."""

    choices: tuple[Choice, ...]

    @property
    def name(self) -> str:
        """Such as `n_epochs=3,seed=1`; does not depend on the order the matrix is written in."""
        return ",".join(map(str, self.choices))

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """What it lays over the recipe."""
        return tuple(choice.assignment for choice in self.choices)


def combinations(document: Document) -> tuple[Combination, ...]:
    """All combinations of a composed recipe; none where it has no matrix, or one that the schema refuses.

    Raises InvalidInputError for keys that cannot vary, and for too many combinations.
    """
    matrix = document.value.get(LAYER)
    if not isinstance(matrix, dict) or not all(map(_is_axis, matrix.items())):
        return ()
    issues = [_fixed(document, path) for path in matrix if fixed_key(path)]
    count = prod(map(len, matrix.values()))
    if count > MAX_COMBINATIONS:
        message = f"found {count} combinations, expected at most {MAX_COMBINATIONS}. Leave values out."
        issues.append(document.issue((LAYER,), message))
    if issues:
        raise InvalidInputError(issues)
    names = short_names(matrix)
    axes = [
        [
            Choice(name=names[path], assignment=_assignment(document, path, index))
            for index in range(len(matrix[path]))
        ]
        for path in sorted(matrix)
    ]
    return tuple(Combination(choices=choices) for choices in product(*axes)) if axes else ()


def _is_axis(item: tuple[str, Any]) -> bool:
    path, values = item
    return all(path.split(".")) and isinstance(values, list) and bool(values)


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """The last part of every dotted path, or as many more parts as it takes to tell it from the others."""
    split = {path: path.split(".") for path in paths}

    def short(path: str) -> str:
        parts = split[path]
        others = [other for name, other in split.items() if name != path]
        for length in range(1, len(parts)):
            if all(other[-length:] != parts[-length:] for other in others):
                return ".".join(parts[-length:])
        return path

    return {path: short(path) for path in split}


def value_text(value: Scalar) -> str:
    """A value in the name of a combination: plain where that can be read back, else quoted."""
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and is_plain_text(value)
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return canonical_json(value).decode()


def without_matrix(document: Document) -> Document:
    """The recipe of one combination, which has none of its own."""
    value = {key: item for key, item in document.value.items() if key != LAYER}
    return replace(document, value=value)


def _assignment(document: Document, path: str, index: int) -> Assignment:
    mark = document.marks[(LAYER, path, index)]
    layer = ", ".join(part for part in (LAYER, mark.layer) if part)
    return Assignment(
        path=path,
        value=document.value[LAYER][path][index],
        mark=replace(mark, layer=layer),
        key_mark=document.key_marks[(LAYER, path)],
    )


def _fixed(document: Document, path: str) -> Issue:
    message = f"found '{one_line(path)}', expected a value that can vary. Remove it."
    return document.issue((LAYER, path), message, at_key=True)
