"""Fills the API's templates: `{{ sample.output_text }}`, `{{ item.reference }}`.

This is a lookup, not a language: a template is text with paths in it, and what it is filled with is never
read as a template again.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACES = ("item", "sample")
SAMPLE_VALUES = ("output_json", "output_text", "output_tools")
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# What nobody means as text: braces that were forgotten would be graded as they stand.
_OPEN = re.compile(r"\{\{\s*(?:item|sample)\b[^\s{}]*")
_PATH = re.compile(r"\s*(\w+)((?:\.\w+|\[\d+\])*)\s*")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


class TemplateError(ValueError):
    """A template names what does not exist; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a model answered."""

    output_text: str
    output_tools: tuple[Mapping[str, Any], ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """What `sample` means in a template; `output_json` is there when the text is JSON."""
        values: dict[str, Any] = {"output_text": self.output_text, "output_tools": list(self.output_tools)}
        try:
            values["output_json"] = json.loads(self.output_text)
        except (ValueError, RecursionError):
            return values
        return values


def check_template(template: str) -> None:
    """Check the paths of a template without values. Raises TemplateError."""
    for namespace, steps in paths_of(template):
        if namespace == "sample" and steps and steps[0] not in SAMPLE_VALUES:
            raise TemplateError(f"sample has no '{steps[0]}', expected one of {', '.join(SAMPLE_VALUES)}")
    unclosed = _OPEN.search(_HOLE.sub("", template))
    if unclosed is not None:
        raise TemplateError(f"'{unclosed[0]}' has no '}}}}' behind it")


def paths_of(template: str) -> list[tuple[str, list[str | int]]]:
    """The paths of a template: what they begin with, and the steps from there. Raises TemplateError."""
    return [_parse(hole) for hole in _HOLE.findall(template)]


def fill(template: str, sample: Sample, item: Mapping[str, Any]) -> str:
    """Put values in place of paths; what is not text is written as JSON. Raises TemplateError."""
    values = {"item": item, "sample": sample.values}
    return _HOLE.sub(lambda hole: _look_up(hole[1], values), template)


def _parse(hole: str) -> tuple[str, list[str | int]]:
    found = _PATH.fullmatch(hole)
    if found is None:
        raise TemplateError(f"'{{{{{hole}}}}}' is not a path such as item.reference or item.answers[0]")
    if found[1] not in NAMESPACES:
        raise TemplateError(f"'{{{{{hole}}}}}' begins with '{found[1]}', expected item or sample")
    return found[1], [name or int(index) for name, index in _STEP.findall(found[2])]


def _look_up(hole: str, values: Mapping[str, Any]) -> str:
    namespace, steps = _parse(hole)
    value, seen = values[namespace], namespace
    for step in steps:
        present = step in value if isinstance(value, Mapping) else _is_index(step, value)
        if not present:
            raise TemplateError(f"{seen} has no '{step}'")
        value, seen = value[step], f"{seen}[{step}]" if isinstance(step, int) else f"{seen}.{step}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_index(step: str | int, value: Any) -> bool:
    return isinstance(step, int) and isinstance(value, list) and step < len(value)
