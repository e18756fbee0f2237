"""Values of typed formats as the values that JSON has, so that every format gives the same records."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from runner.display import shown
from runner.issues import Issue, Place
from runner.sources.base import Record
from runner.sources.strict_json import MAX_DEPTH, TOO_DEEP

_NULL = "Use null, and give the field a default."


class NotPlainError(ValueError):
    """A value that JSON has no form for; the message is a sentence."""


def records_of(names: Sequence[str], values: Sequence[Any], file: str, row: int) -> Iterator[Record | Issue]:
    """A record of a row's cells, or an issue for each cell that cannot be used."""
    data: dict[str, Any] = {}
    problems = []
    for name, value in zip(names, values, strict=True):
        try:
            data[name] = plain(value)
        except NotPlainError as error:
            problems.append(Issue(place=Place(file=file, row=row), message=f"column {shown(name)}: {error}"))
    if problems:
        yield from problems
    else:
        yield Record(data, file, row)


def plain(value: Any, depth: int = 0) -> Any:
    """A value as text, number, truth value, null, list or object. Raises NotPlainError.

    Dates and times become ISO 8601 text, those with a time zone in UTC with a Z; decimals become text with
    all their digits; bytes become text if they are UTF-8.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _finite(value)
    if depth >= MAX_DEPTH:
        raise NotPlainError(TOO_DEEP)
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    return _text(value)


def date_text(value: datetime) -> str:
    """A point in time as ISO 8601 text; a fraction of a second has six digits, or none where it is zero."""
    if value.tzinfo is None:
        return value.isoformat()
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def bytes_text(value: bytes) -> str:
    """Bytes that are UTF-8 as text. Raises NotPlainError."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise NotPlainError(
            f"found {len(value)} bytes that are not UTF-8 text, expected text. Leave the column out."
        ) from None


def _finite(value: float) -> float:
    if math.isnan(value):
        raise NotPlainError(f"found NaN, expected a number. {_NULL}")
    if math.isinf(value):
        raise NotPlainError(f"found an infinite number, expected a finite one. {_NULL}")
    return value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotPlainError(f"found the key {shown(key)}, expected text. Convert it before.")
    return key


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return date_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotPlainError(f"found {value}, expected a number. {_NULL}")
        return format(value, "f")
    if isinstance(value, bytes | bytearray):
        return bytes_text(bytes(value))
    if isinstance(value, UUID):
        return str(value)
    raise NotPlainError(
        f"found a value of type {type(value).__name__}, expected text, a number or a date. "
        "Convert it before, or leave the column out."
    )
