"""Small changes to the text of a recipe that leave everything else as it was written."""

import json
import re
from typing import Any

import yaml

from runner.recipe.yaml import parse_yaml

Keys = tuple[str | int, ...]
# What a plain scalar may hold everywhere, in a flow mapping too.
_PLAIN = re.compile(r"[\w./-]+(?: [\w./-]+)*")


class EditError(Exception):
    """The text is written in a way that cannot be changed without changing more."""


def set_path(text: str, keys: Keys, value: str) -> str:
    """Replace the text at a path, such as `sources[0].path`. Raises EditError."""
    node = _node(text, keys)
    if not isinstance(node, yaml.ScalarNode):
        raise EditError("found no text")
    written = text[: node.start_mark.index] + _scalar(value) + text[node.end_mark.index :]
    return _verified(text, written, keys, value)


def set_trim(text: str, field: str) -> str:
    """Give a field `trim: true`, whether it is a path alone or a mapping. Raises EditError."""
    keys: Keys = ("fields", field)
    node = _node(text, keys)
    old = _value(text, keys)
    if isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index, node.end_mark.index
        written = f"{text[:start]}{{path: {_scalar(str(old))}, trim: true}}{text[end:]}"
        return _verified(text, written, keys, {"path": old, "trim": True})
    if not isinstance(node, yaml.MappingNode) or not isinstance(old, dict):
        raise EditError("found neither a path nor a mapping")
    if "trim" in old:
        inner = _node(text, (*keys, "trim"))
        written = f"{text[: inner.start_mark.index]}true{text[inner.end_mark.index :]}"
    elif node.flow_style:
        start = node.start_mark.index + 1
        written = f"{text[:start]}trim: true, {text[start:]}"
    else:
        last = node.value[-1][1].end_mark.index
        end = text.find("\n", last)
        end = len(text) if end < 0 else end
        indent = " " * node.start_mark.column
        written = f"{text[:end]}\n{indent}trim: true{text[end:]}"
    return _verified(text, written, keys, {**old, "trim": True})


def _node(text: str, keys: Keys) -> yaml.Node:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            node = None
    if not isinstance(node, yaml.Node):
        raise EditError("found nothing there")
    return node


def _value(text: str, keys: Keys) -> Any:
    value = _parsed(text)
    for key in keys:
        value = value[key]
    return value


def _verified(before: str, after: str, keys: Keys, value: Any) -> str:
    """The new text, if it means what the old one did but for the value at the path."""
    wanted = _parsed(before)
    holder = wanted
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    if _parsed(after) != wanted:
        raise EditError("found a way of writing that this change would break")
    return after


def _parsed(text: str) -> Any:
    document, issues = parse_yaml(text.encode("utf-8"), "recipe")
    if document is None or issues:
        raise EditError("found YAML that cannot be read")
    return document.value


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
