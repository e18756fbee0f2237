"""The tests, methods and operators that a template may use; all give the same result everywhere."""

import operator
from collections.abc import Iterable
from typing import Any

from jinja2 import Undefined

from runner.examples.filters import (
    Operation,
    filter_capitalize,
    filter_items,
    filter_join,
    filter_lower,
    filter_replace,
    filter_title,
    filter_trim,
    filter_upper,
)
from runner.examples.metering import check_length
from runner.examples.operands import as_list, as_number, as_object, as_printed, as_text


def is_divisible(value: Any, num: int) -> bool:
    return bool(as_number(value) % as_number(num) == 0)


def is_in(value: Any, seq: Any) -> bool:
    if isinstance(seq, str):
        return as_text(value) in seq
    return value in (seq if isinstance(seq, dict) else as_list(seq))


TESTS: dict[str, Operation] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "divisibleby": is_divisible,
    "eq": operator.eq,
    "equalto": operator.eq,
    "even": lambda value: as_number(value) % 2 == 0,
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "ge": operator.ge,
    "greaterthan": operator.gt,
    "gt": operator.gt,
    "in": is_in,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, str | list | tuple | dict),
    "le": operator.le,
    "lessthan": operator.lt,
    "lower": lambda value: as_text(value).islower(),
    "lt": operator.lt,
    "mapping": lambda value: isinstance(value, dict),
    "ne": operator.ne,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: as_number(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, str | list | tuple),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Undefined),
    "upper": lambda value: as_text(value).isupper(),
}


def method_split(value: Any, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    return as_text(value).split(None if sep is None else as_text(sep), maxsplit)


def method_join(value: Any, items: Any) -> str:
    return filter_join(items, as_text(value))


METHODS: dict[str, Operation] = {
    "capitalize": filter_capitalize,
    "count": lambda value, sub: as_text(value).count(as_text(sub)),
    "endswith": lambda value, suffix: as_text(value).endswith(as_text(suffix)),
    "find": lambda value, sub: as_text(value).find(as_text(sub)),
    "get": lambda value, key, default=None: as_object(value).get(key, default),
    "items": filter_items,
    "join": method_join,
    "keys": lambda value: list(as_object(value)),
    "lower": filter_lower,
    "lstrip": lambda value, chars=None: as_text(value).lstrip(chars),
    "removeprefix": lambda value, prefix: as_text(value).removeprefix(as_text(prefix)),
    "removesuffix": lambda value, suffix: as_text(value).removesuffix(as_text(suffix)),
    "replace": filter_replace,
    "rstrip": lambda value, chars=None: as_text(value).rstrip(chars),
    "split": method_split,
    "startswith": lambda value, prefix: as_text(value).startswith(as_text(prefix)),
    "strip": filter_trim,
    "title": filter_title,
    "upper": filter_upper,
    "values": lambda value: list(as_object(value).values()),
}


def concatenate(items: Iterable[Any]) -> str:
    """The operator `~`."""
    parts = [as_printed(item) for item in items]
    check_length(sum(map(len, parts)))
    return "".join(parts)


def add(left: Any, right: Any) -> Any:
    """The operator `+`: numbers, two texts or two lists."""
    both_texts = isinstance(left, str) and isinstance(right, str)
    if both_texts or (isinstance(left, list) and isinstance(right, list)):
        check_length(len(left) + len(right))
        return left + right
    return as_number(left) + as_number(right)


def multiply(left: Any, right: Any) -> Any:
    """The operator `*`, of numbers alone: with a text it would make one of any length."""
    return as_number(left) * as_number(right)


def _arithmetic(apply: Operation) -> Operation:
    return lambda left, right: apply(as_number(left), as_number(right))


OPERATORS: dict[str, Operation] = {
    "+": add,
    "*": multiply,
    "-": _arithmetic(operator.sub),
    "/": _arithmetic(operator.truediv),
    "//": _arithmetic(operator.floordiv),
    "%": _arithmetic(operator.mod),
}
