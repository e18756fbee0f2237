"""Small changes to the text of a recipe that leave everything else as it was written."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from runner.recipe.yaml import parse_yaml

Keys = tuple[str | int, ...]
_INDENT = 2
# No line of a value is folded: texts stay as they are.
_WIDTH = 1 << 20
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


def set_profile(text: str, name: str, overlay: Mapping[str, Any]) -> str:
    """Add a profile below the others, or replace the one of that name; the rest stays. Raises EditError."""
    root = _node(text, ())
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise EditError("found no mapping of one key per line")
    entry = next((item for item in root.value if item[0].value == "profiles"), None)
    if entry is None:
        written = f"{text.rstrip()}\n\nprofiles:\n{_block({name: overlay}, _INDENT)}"
        return _verified(text, written, ("profiles",), {name: dict(overlay)})
    profiles = entry[1]
    if not isinstance(profiles, yaml.MappingNode) or profiles.flow_style:
        raise EditError("found `profiles` without one per line")
    column = profiles.start_mark.column
    earlier = next((item for item in profiles.value if item[0].value == name), None)
    key, value = earlier or profiles.value[-1]
    end = _line_end(text, _last_index(text, value))
    start = key.start_mark.index - column if earlier else end
    before = text[:start] if earlier else f"{text[:end].rstrip()}\n"
    written = f"{before}{_block({name: overlay}, column)}{text[end + 1 :]}"
    return _verified(text, written, ("profiles", name), dict(overlay))


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


def _block(value: Mapping[str, Any], column: int) -> str:
    dumped = yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=_WIDTH)
    return "".join(f"{' ' * column}{line}\n" for line in dumped.splitlines())


def _last_index(text: str, node: yaml.Node) -> int:
    """Where the last character of a node stands: a block ends only where the next one begins."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return len(text[: node.end_mark.index].rstrip())


def _line_end(text: str, index: int) -> int:
    """The end of the line that holds an index, a comment on it included."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
