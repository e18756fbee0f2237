"""A composed recipe in canonical order, with the defaults filled in, and where each value was written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from runner.recipe.definitions import Definition, definitions_at, definitions_below, fitting
from runner.recipe.model import Recipe, Training
from runner.recipe.yaml import Document, Keys

DEFAULT = "default"
# Sections that have values although a recipe leaves them out.
_FILLED = {item.name for kind in (Recipe, Training) for item in fields(kind) if is_dataclass(item.default)}


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A recipe's value as it would be written out; `origins` says by path where each leaf comes from."""

    value: Mapping[str, Any]
    origins: Mapping[Keys, str]

    def leaves(self) -> Iterator[tuple[Keys, Any]]:
        """Every scalar, and every empty list or mapping, with its path."""
        return _leaves(self.value, ())


def render_recipe(document: Document, *, with_defaults: bool) -> Rendered:
    """A composed document in the order of the schema; other names and lists keep their own order."""
    filler = _Filler(document, with_defaults=with_defaults)
    value = filler.mapping(document.value, (), definitions_at(()))
    return Rendered(value=value, origins=filler.origins)


class _Filler:
    """Orders a document's values, and notes their origins on the way."""

    def __init__(self, document: Document, *, with_defaults: bool) -> None:
        self.document = document
        self.with_defaults = with_defaults
        self.origins: dict[Keys, str] = {}

    def value(self, value: Any, at: Keys, definitions: list[Definition]) -> Any:
        if isinstance(value, dict) and value:
            return self.mapping(value, at, definitions)
        if isinstance(value, list) and value:
            return [
                self.value(item, (*at, index), definitions_below(definitions, index))
                for index, item in enumerate(value)
            ]
        self.origins[at] = self._origin(at)
        return value

    def mapping(self, value: Mapping[str, Any], at: Keys, definitions: list[Definition]) -> dict[str, Any]:
        known = [key for node in fitting(definitions, value) for key in node["properties"]]
        result = {}
        for key in dict.fromkeys([*known, *value]):
            below = definitions_below(definitions, key)
            if key in value:
                result[key] = self.value(value[key], (*at, key), below)
            elif self.with_defaults:
                result |= self._default(key, at, fitting(definitions, value))
        return result

    def _default(self, key: str, at: Keys, definitions: list[Definition]) -> dict[str, Any]:
        where = (*at, key)
        below = definitions_below(definitions, key)
        stated = next((node["default"] for node in below if "default" in node), None)
        if stated is not None:
            self.origins[where] = DEFAULT
            return {key: stated}
        inner = self.mapping({}, where, below) if key in _FILLED else {}
        return {key: inner} if inner else {}

    def _origin(self, at: Keys) -> str:
        for length in range(len(at), -1, -1):
            mark = self.document.marks.get(at[:length])
            if mark is not None:
                return mark.origin
        return self.document.file


def _leaves(value: Any, at: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*at, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*at, index))
    else:
        yield at, value
