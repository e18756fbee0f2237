"""The filters that a template may use; all give the same result everywhere."""

import json
import math
from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined, Undefined

from runner.examples.metering import check_length
from runner.examples.operands import (
    as_count,
    as_list,
    as_number,
    as_object,
    as_printed,
    as_scalar,
    as_text,
    item_at,
    unfit,
)

Operation = Callable[..., Any]

MAX_INDENT = 64
MAX_PRECISION = 15


def filter_abs(value: Any) -> Any:
    return abs(as_number(value))


def filter_capitalize(value: Any) -> str:
    return as_text(value).capitalize()


def filter_default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def filter_first(value: Any) -> Any:
    return item_at(value, 0)


def filter_float(value: Any, default: float = 0.0) -> float:
    try:
        return float(as_scalar(value))
    except ValueError:
        return default


def filter_indent(value: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002
    text, width = as_text(value), as_count(width, "a width", MAX_INDENT)
    lines = text.split("\n")
    check_length(len(text) + width * len(lines))
    space = " " * width
    indented = [
        space + line if (line or blank) and (index > 0 or first) else line for index, line in enumerate(lines)
    ]
    return "\n".join(indented)


def filter_int(value: Any, default: int = 0) -> int:
    try:
        scalar = as_scalar(value)
        return int(scalar) if isinstance(scalar, int | float) else int(scalar, 10)
    except (ValueError, OverflowError):
        return default


def filter_items(value: Any) -> list[tuple[str, Any]]:
    return list(as_object(value).items())


def filter_join(value: Any, d: str = "") -> str:
    parts = [as_printed(item) for item in as_list(value)]
    separator = as_text(d)
    check_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def filter_last(value: Any) -> Any:
    return item_at(value, -1)


def filter_length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise unfit(value, "text, a list or an object")
    return len(value)


def filter_list(value: Any) -> list[Any]:
    return list(value if isinstance(value, str | dict) else as_list(value))


def filter_lower(value: Any) -> str:
    return as_text(value).lower()


def filter_max(value: Any) -> Any:
    items = as_list(value)
    return max(items) if items else StrictUndefined("nothing as the `max` of an empty list")


def filter_min(value: Any) -> Any:
    items = as_list(value)
    return min(items) if items else StrictUndefined("nothing as the `min` of an empty list")


def filter_replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text, old, new = as_text(value), as_text(old), as_text(new)
    times = text.count(old) if count < 0 else min(text.count(old), count)
    check_length(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def filter_reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else as_list(value)[::-1]


def filter_round(value: Any, precision: int = 0, method: str = "common") -> float:
    number, precision = as_number(value), as_count(precision, "a precision", MAX_PRECISION)
    if method == "common":
        return round(float(number), precision)
    if method not in ("ceil", "floor"):
        raise unfit(method, "common, ceil or floor")
    factor = 10.0**precision
    rounded: int = getattr(math, method)(number * factor)
    return rounded / factor


def filter_sort(value: Any, reverse: bool = False) -> list[Any]:  # noqa: FBT001, FBT002
    return sorted(as_list(value), reverse=bool(reverse))


def filter_string(value: Any) -> str:
    return as_printed(value)


def filter_sum(value: Any, start: float = 0) -> Any:
    return sum((as_number(item) for item in as_list(value)), as_number(start))


def filter_title(value: Any) -> str:
    return as_text(value).title()


def filter_tojson(value: Any, indent: int | None = None) -> str:
    width = None if indent is None else as_count(indent, "an indent", 8)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=width)
    except (TypeError, ValueError):
        raise unfit(value, "a value that JSON has") from None


def filter_trim(value: Any, chars: str | None = None) -> str:
    return as_text(value).strip(None if chars is None else as_text(chars))


def filter_truncate(value: Any, length: int = 255, killwords: bool = False, end: str = "...") -> str:  # noqa: FBT001, FBT002
    text, end = as_text(value), as_text(end)
    if len(text) <= length:
        return text
    kept = text[: max(0, length - len(end))]
    return kept + end if killwords else kept.rsplit(" ", 1)[0] + end


def filter_unique(value: Any) -> list[Any]:
    result: list[Any] = []
    seen: set[Any] = set()
    for item in as_list(value):
        key = (type(item).__name__, json.dumps(item) if isinstance(item, list | dict) else item)
        if key not in seen:
            seen.add(key)
            result.append(item)
    return result


def filter_upper(value: Any) -> str:
    return as_text(value).upper()


def filter_wordcount(value: Any) -> int:
    return len(as_text(value).split())


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
