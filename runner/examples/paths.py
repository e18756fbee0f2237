"""Read one value out of a record: by a plain key, or by a JMESPath expression."""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

from runner.display import one_line, shown
from runner.examples.getters import Getter, make_getter
from runner.hints import listed, nearest

EXPRESSION_CHARACTERS = ".[]|&@*?()"
MAX_EXPRESSION_CHARACTERS = 1_000

Read = Callable[[dict[str, Any]], Any]

# The functions that take an expression such as `&title`; anywhere else it would be a value that is not JSON.
_TAKES_EXPRESSION = {"map", "max_by", "min_by", "sort_by"}
_ALWAYS_FINITE = (str, int, bool, type(None))
_FIRST_NAME = re.compile(r'\w+|"(?:[^"\\]|\\.)*"')


class PathError(ValueError):
    """A path that cannot be used, or that does not fit a record; the message is a sentence."""


def is_expression(path: str) -> bool:
    """Whether a path is JMESPath rather than a plain key."""
    return any(character in path for character in EXPRESSION_CHARACTERS)


def compile_path(path: str) -> Read:
    """A function that reads the value at a path, None where there is none.

    Raises PathError for a broken expression; so does the function, for a record it does not fit.
    """
    if not is_expression(path):
        return lambda data: data.get(path)
    parsed = _parse(path)
    _check(parsed.parsed, path)
    getter = make_getter(parsed.parsed)
    if getter is not None:
        return _simple(getter, path)
    interpreter = TreeInterpreter()

    def read(data: dict[str, Any]) -> Any:
        try:
            value = interpreter.visit(parsed.parsed, data)
        except (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise PathError(_mismatch(path, error)) from error
        _check_finite(value, path)
        return value

    return read


def _simple(getter: Getter, path: str) -> Read:
    def read(data: dict[str, Any]) -> Any:
        value = getter(data)
        if value.__class__ not in _ALWAYS_FINITE:
            _check_finite(value, path)
        return value

    return read


def missing_sentence(path: str, data: dict[str, Any]) -> str:
    """Say what a record has where nothing is found at a path."""
    has = f"The record has {listed(data)}."
    if is_expression(path) and path in data:
        return (
            f"found nothing at {shown(path)}, which is read as JMESPath, expected a value. "
            f"Write '{quoted(path)}' for the key of that name."
        )
    if path in data:
        return f"found null at {shown(path)}, expected a value. Fill it, or give the field a `default`."
    name = _first_name(path) if is_expression(path) else path
    hint = "" if name in data else nearest(name, data)
    advice = f"{hint} {has}".lstrip() if name not in data else "Fill it, or give the field a `default`."
    return f"found nothing at {shown(path)}, expected a value. {advice}"


def quoted(key: str) -> str:
    """The JMESPath expression for a plain key with special characters."""
    escaped = one_line(key).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _first_name(path: str) -> str:
    match = _FIRST_NAME.search(path)
    return match.group().strip('"') if match else path


def _parse(path: str) -> Any:
    if len(path) > MAX_EXPRESSION_CHARACTERS:
        raise PathError(
            f"found an expression of {len(path)} characters, expected at most {MAX_EXPRESSION_CHARACTERS}. "
            "Shorten it."
        )
    try:
        return jmespath.compile(path)
    except (ParseError, LexerError) as error:
        at = error.lex_position
        found = f"{shown(path[at])} at character {at + 1}" if at < len(path) else "its end too early"
        raise PathError(
            f"found {found} in {shown(path)}, expected a JMESPath expression. "
            f"Repair it, or write '{quoted(path)}' if it is a plain key."
        ) from error
    except (JMESPathError, ValueError, RecursionError) as error:
        raise PathError(f"found {shown(path)}, expected a JMESPath expression. Repair it.") from error


def _check(node: dict[str, Any], path: str) -> None:
    """Refuse at once what would only fail, or only print a memory address, with some records."""
    for inner, function in _nodes(node, ""):
        kind, value = inner["type"], inner.get("value")
        if kind == "function_expression" and value not in Functions.FUNCTION_TABLE:
            hint = (
                nearest(str(value), Functions.FUNCTION_TABLE)
                or "See https://jmespath.org/specification.html."
            )
            raise PathError(f"found the function {shown(value)}, expected one of JMESPath's. {hint}")
        if kind == "expref" and function not in _TAKES_EXPRESSION:
            raise PathError(
                f"found `&` in {shown(path)}, expected it inside a function such as sort_by. "
                f"Remove it, or write '{quoted(path)}' if it is a plain key."
            )
        if kind == "literal":
            _check_literal(value, path)


def _nodes(node: dict[str, Any], function: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every node of an expression with the function that it is an argument of."""
    yield node, function
    inside = node.get("value", "") if node["type"] == "function_expression" else ""
    for child in node["children"]:
        if isinstance(child, dict) and "type" in child:
            yield from _nodes(child, inside)


def _check_literal(value: Any, path: str) -> None:
    _check_finite(value, path)
    try:
        str(value).encode("utf-8")
    except UnicodeEncodeError:
        raise PathError(
            f"found half of a surrogate pair in {shown(path)}, expected whole characters."
        ) from None


def _check_finite(value: Any, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise PathError(f"found {value} at {shown(path)}, expected a finite number. Change it.")
    if isinstance(value, list):
        for item in value:
            if item.__class__ not in _ALWAYS_FINITE:
                _check_finite(item, path)
    elif isinstance(value, dict):
        for item in value.values():
            _check_finite(item, path)


def _mismatch(path: str, error: Exception) -> str:
    reason = one_line(str(error), limit=200)
    return f"found data that {shown(path)} does not fit ({reason}), expected data it can read. Change either."
