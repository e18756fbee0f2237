"""The parts of the recipe's schema that the value at some place has to follow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.recipe.yaml import Keys
from runner.schema import load_schema

Definition = Mapping[str, Any]


def definitions_at(keys: Keys) -> list[Definition]:
    """Every definition that a value at a place may have to follow; alternatives all count."""
    root = load_schema("recipe")
    found = list(_alternatives(root, root))
    for key in keys:
        found = definitions_below(found, key)
    return found


def definitions_below(definitions: Sequence[Definition], key: str | int) -> list[Definition]:
    """The definitions of a key or item of values that follow any of some definitions."""
    root = load_schema("recipe")
    steps = (step for node in definitions for step in _below(node, key))
    return [inner for step in steps for inner in _alternatives(step, root)]


def fitting(definitions: Sequence[Definition], keys: Mapping[str, Any]) -> list[Definition]:
    """Of several definitions, those of mappings that have these keys."""
    return [
        node
        for node in definitions
        if "properties" in node
        and set(node.get("required", ())) <= set(keys)
        and set(keys) <= set(node["properties"])
    ]


def _alternatives(node: Definition, root: Definition) -> Iterator[Definition]:
    yield node
    if "$ref" in node:
        yield from _alternatives(root["$defs"][node["$ref"].removeprefix("#/$defs/")], root)
    for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _alternatives(branch, root)


def _below(node: Definition, key: str | int) -> Iterator[Definition]:
    if isinstance(key, int):
        if isinstance(node.get("items"), dict):
            yield node["items"]
    elif key in node.get("properties", {}):
        yield node["properties"][key]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]
