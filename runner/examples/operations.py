"""The filters, tests, methods and operators that a template may use; all give the same result everywhere."""

import json
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import StrictUndefined, Undefined

from runner.display import shown
from runner.examples.metering import SandboxError, check_length
from runner.examples.scalars import scalar_text

Operation = Callable[..., Any]

MAX_INDENT = 64
MAX_PRECISION = 15


def filter_abs(value: Any) -> Any:
    return abs(_number(value))


def filter_capitalize(value: Any) -> str:
    return _text(value).capitalize()


def filter_default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def filter_first(value: Any) -> Any:
    return _item(value, 0)


def filter_float(value: Any, default: float = 0.0) -> float:
    try:
        return float(_scalar(value))
    except ValueError:
        return default


def filter_indent(value: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002
    text, width = _text(value), _count(width, "a width", MAX_INDENT)
    lines = text.split("\n")
    check_length(len(text) + width * len(lines))
    space = " " * width
    indented = [
        space + line if (line or blank) and (index > 0 or first) else line for index, line in enumerate(lines)
    ]
    return "\n".join(indented)


def filter_int(value: Any, default: int = 0) -> int:
    try:
        scalar = _scalar(value)
        return int(scalar) if isinstance(scalar, int | float) else int(scalar, 10)
    except (ValueError, OverflowError):
        return default


def filter_items(value: Any) -> list[tuple[str, Any]]:
    return list(_object(value).items())


def filter_join(value: Any, d: str = "") -> str:
    parts = [_printed(item) for item in _list(value)]
    separator = _text(d)
    check_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def filter_last(value: Any) -> Any:
    return _item(value, -1)


def filter_length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise _unfit(value, "text, a list or an object")
    return len(value)


def filter_list(value: Any) -> list[Any]:
    return list(value if isinstance(value, str | dict) else _list(value))


def filter_lower(value: Any) -> str:
    return _text(value).lower()


def filter_max(value: Any) -> Any:
    items = _list(value)
    return max(items) if items else StrictUndefined("nothing as the `max` of an empty list")


def filter_min(value: Any) -> Any:
    items = _list(value)
    return min(items) if items else StrictUndefined("nothing as the `min` of an empty list")


def filter_replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text, old, new = _text(value), _text(old), _text(new)
    times = text.count(old) if count < 0 else min(text.count(old), count)
    check_length(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def filter_reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else _list(value)[::-1]


def filter_round(value: Any, precision: int = 0, method: str = "common") -> float:
    number, precision = _number(value), _count(precision, "a precision", MAX_PRECISION)
    if method == "common":
        return round(float(number), precision)
    if method not in ("ceil", "floor"):
        raise _unfit(method, "common, ceil or floor")
    factor = 10.0**precision
    rounded: int = getattr(math, method)(number * factor)
    return rounded / factor


def filter_sort(value: Any, reverse: bool = False) -> list[Any]:  # noqa: FBT001, FBT002
    return sorted(_list(value), reverse=bool(reverse))


def filter_string(value: Any) -> str:
    return _printed(value)


def filter_sum(value: Any, start: float = 0) -> Any:
    return sum((_number(item) for item in _list(value)), _number(start))


def filter_title(value: Any) -> str:
    return _text(value).title()


def filter_tojson(value: Any, indent: int | None = None) -> str:
    width = None if indent is None else _count(indent, "an indent", 8)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=width)
    except (TypeError, ValueError):
        raise _unfit(value, "a value that JSON has") from None


def filter_trim(value: Any, chars: str | None = None) -> str:
    return _text(value).strip(None if chars is None else _text(chars))


def filter_truncate(value: Any, length: int = 255, killwords: bool = False, end: str = "...") -> str:  # noqa: FBT001, FBT002
    text, end = _text(value), _text(end)
    if len(text) <= length:
        return text
    kept = text[: max(0, length - len(end))]
    return kept + end if killwords else kept.rsplit(" ", 1)[0] + end


def filter_unique(value: Any) -> list[Any]:
    result: list[Any] = []
    seen: set[Any] = set()
    for item in _list(value):
        key = (type(item).__name__, json.dumps(item) if isinstance(item, list | dict) else item)
        if key not in seen:
            seen.add(key)
            result.append(item)
    return result


def filter_upper(value: Any) -> str:
    return _text(value).upper()


def filter_wordcount(value: Any) -> int:
    return len(_text(value).split())


# `map`, `select` and `reject` take the name of one of these and stand in `sandbox`.
FILTERS: dict[str, Operation] = {
    "abs": filter_abs,
    "capitalize": filter_capitalize,
    "count": filter_length,
    "d": filter_default,
    "default": filter_default,
    "first": filter_first,
    "float": filter_float,
    "indent": filter_indent,
    "int": filter_int,
    "items": filter_items,
    "join": filter_join,
    "last": filter_last,
    "length": filter_length,
    "list": filter_list,
    "lower": filter_lower,
    "max": filter_max,
    "min": filter_min,
    "replace": filter_replace,
    "reverse": filter_reverse,
    "round": filter_round,
    "sort": filter_sort,
    "string": filter_string,
    "sum": filter_sum,
    "title": filter_title,
    "tojson": filter_tojson,
    "trim": filter_trim,
    "truncate": filter_truncate,
    "unique": filter_unique,
    "upper": filter_upper,
    "wordcount": filter_wordcount,
}


def is_divisible(value: Any, num: int) -> bool:
    return bool(_number(value) % _number(num) == 0)


def is_in(value: Any, seq: Any) -> bool:
    if isinstance(seq, str):
        return _text(value) in seq
    return value in (seq if isinstance(seq, dict) else _list(seq))


TESTS: dict[str, Operation] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "divisibleby": is_divisible,
    "eq": operator.eq,
    "equalto": operator.eq,
    "even": lambda value: _number(value) % 2 == 0,
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
    "lower": lambda value: _text(value).islower(),
    "lt": operator.lt,
    "mapping": lambda value: isinstance(value, dict),
    "ne": operator.ne,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: _number(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, str | list | tuple),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Undefined),
    "upper": lambda value: _text(value).isupper(),
}


def method_split(value: Any, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    return _text(value).split(None if sep is None else _text(sep), maxsplit)


def method_join(value: Any, items: Any) -> str:
    return filter_join(items, _text(value))


METHODS: dict[str, Operation] = {
    "capitalize": filter_capitalize,
    "count": lambda value, sub: _text(value).count(_text(sub)),
    "endswith": lambda value, suffix: _text(value).endswith(_text(suffix)),
    "find": lambda value, sub: _text(value).find(_text(sub)),
    "get": lambda value, key, default=None: _object(value).get(key, default),
    "items": filter_items,
    "join": method_join,
    "keys": lambda value: list(_object(value)),
    "lower": filter_lower,
    "lstrip": lambda value, chars=None: _text(value).lstrip(chars),
    "removeprefix": lambda value, prefix: _text(value).removeprefix(_text(prefix)),
    "removesuffix": lambda value, suffix: _text(value).removesuffix(_text(suffix)),
    "replace": filter_replace,
    "rstrip": lambda value, chars=None: _text(value).rstrip(chars),
    "split": method_split,
    "startswith": lambda value, prefix: _text(value).startswith(_text(prefix)),
    "strip": filter_trim,
    "title": filter_title,
    "upper": filter_upper,
    "values": lambda value: list(_object(value).values()),
}


def concatenate(items: Iterable[Any]) -> str:
    """The operator `~`."""
    parts = [_printed(item) for item in items]
    check_length(sum(map(len, parts)))
    return "".join(parts)


def add(left: Any, right: Any) -> Any:
    """The operator `+`: numbers, two texts or two lists."""
    both_texts = isinstance(left, str) and isinstance(right, str)
    if both_texts or (isinstance(left, list) and isinstance(right, list)):
        check_length(len(left) + len(right))
        return left + right
    return _number(left) + _number(right)


def multiply(left: Any, right: Any) -> Any:
    """The operator `*`, of numbers alone: with a text it would make one of any length."""
    return _number(left) * _number(right)


def _arithmetic(apply: Operation) -> Operation:
    return lambda left, right: apply(_number(left), _number(right))


OPERATORS: dict[str, Operation] = {
    "+": add,
    "*": multiply,
    "-": _arithmetic(operator.sub),
    "/": _arithmetic(operator.truediv),
    "//": _arithmetic(operator.floordiv),
    "%": _arithmetic(operator.mod),
}


def printed(value: Any, source: str) -> str:
    """What `{{ … }}` puts into the message. Raises SandboxError for what has no one text."""
    text = scalar_text(value)
    if text is None:
        where = "" if isinstance(value, Undefined) else f" in `{source}`"
        raise SandboxError(f"found {_named(value)}{where}, expected text or a number. {_remedy(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SandboxError(f"found {value} in `{source}`, expected a finite number. Repair the data.")
    return text


def _remedy(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "Use the filter `join`, or `tojson`."
    if isinstance(value, dict):
        return "Name one of its keys, or use the filter `tojson`."
    if value is None:
        return "Give the field a `default`, or write `{% if … %}`."
    return "Test it with `is defined`, or use the filter `default`."


def _unfit(value: Any, expected: str) -> SandboxError:
    return SandboxError(f"found {_named(value)}, expected {expected}. Change the data or the template.")


def _named(value: Any) -> str:
    if isinstance(value, Undefined):
        message = value._undefined_message
        is_inline_if = message.startswith("the inline if-expression")
        return "an inline `if` that is false and has no `else`" if is_inline_if else message
    if isinstance(value, str | int | float | list | tuple | dict):
        return shown(value)
    return "none" if value is None else "an internal object"


def _printed(value: Any) -> str:
    text = scalar_text(value)
    if text is None:
        raise _unfit(value, "text or a number")
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(value, "text")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unfit(value, "a number")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise _unfit(value, "text or a number")
    return value


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _unfit(value, "a list")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unfit(value, "an object")
    return value


def _item(value: Any, index: int) -> Any:
    items = value if isinstance(value, str) else _list(value)
    return items[index] if items else StrictUndefined("no item in an empty list")


def _count(value: Any, what: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _unfit(value, f"{what} from 0 to {most}")
    return value
