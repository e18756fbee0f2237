"""Tells what graders read of an item, without grading anything."""

from collections.abc import Iterator
from dataclasses import asdict

from runner.graders.model import Grader
from runner.graders.template import paths_of


def item_names(grader: Grader) -> set[str]:
    """The names that the templates of a grader look up in an item; what Python looks up is not known."""
    return {
        str(steps[0])
        for text in _texts(asdict(grader))
        for kind, steps in paths_of(text)
        if _is_item(kind, steps)
    }


def _is_item(kind: str, steps: list[str | int]) -> bool:
    return kind == "item" and bool(steps)


def _texts(value: object) -> Iterator[str]:
    """Every text that may be a template; a formula and the source of a program are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("source", "calculate_output", "name"):
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
