"""Read simple JMESPath expressions, names, indices and lists of them, without walking their tree each time.

Each function does what the method of that name in `jmespath.visitor.TreeInterpreter` does (jmespath 1.1.0).
"""

from collections.abc import Callable, Mapping
from typing import Any

Getter = Callable[[Any], Any]


def make_getter(node: Mapping[str, Any]) -> Getter | None:
    """A function that reads what a parsed expression stands for, None for one that is not simple."""
    make = _MAKERS.get(node["type"])
    return make(node) if make else None


def _field(node: Mapping[str, Any]) -> Getter:
    name = node["value"]

    def get(value: Any) -> Any:
        return value.get(name) if isinstance(value, dict) else None

    return get


def _index(node: Mapping[str, Any]) -> Getter:
    index = node["value"]

    def get(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        try:
            return value[index]
        except IndexError:
            return None

    return get


def _chain(node: Mapping[str, Any]) -> Getter | None:
    steps = [make_getter(child) for child in node["children"]]
    known = [step for step in steps if step is not None]
    if len(known) < len(steps):
        return None

    def get(value: Any) -> Any:
        for step in known:
            value = step(value)
        return value

    return get


def _projection(node: Mapping[str, Any]) -> Getter | None:
    left, right = (make_getter(child) for child in node["children"])
    if left is None or right is None:
        return None
    if node["children"][1]["type"] == "field":
        return _names_of(left, node["children"][1]["value"])

    def get(value: Any) -> Any:
        base = left(value)
        if not isinstance(base, list):
            return None
        return [found for item in base if (found := right(item)) is not None]

    return get


def _names_of(left: Getter, name: str) -> Getter:
    """A projection of one field, the commonest, without a call for each item."""

    def get(value: Any) -> Any:
        base = left(value)
        if not isinstance(base, list):
            return None
        return [found for item in base if isinstance(item, dict) and (found := item.get(name)) is not None]

    return get


def _flatten(node: Mapping[str, Any]) -> Getter | None:
    inner = make_getter(node["children"][0])
    if inner is None:
        return None

    def get(value: Any) -> Any:
        base = inner(value)
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for item in base:
            if isinstance(item, list):
                merged.extend(item)
            else:
                merged.append(item)
        return merged

    return get


def _identity(_: Mapping[str, Any]) -> Getter:
    return lambda value: value


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Getter | None]] = {
    "field": _field,
    "index": _index,
    "subexpression": _chain,
    "index_expression": _chain,
    "projection": _projection,
    "flatten": _flatten,
    "identity": _identity,
    "current": _identity,
}
