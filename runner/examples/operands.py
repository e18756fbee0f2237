"""The values that operations of templates take: of the right kind, or a sentence on what they are instead."""

import math
from typing import Any

from jinja2 import StrictUndefined, Undefined

from runner.display import shown
from runner.examples.metering import SandboxError
from runner.examples.scalars import scalar_text


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


def unfit(value: Any, expected: str) -> SandboxError:
    """An error about a value of the wrong kind."""
    return SandboxError(f"found {_named(value)}, expected {expected}. Change the data or the template.")


def _named(value: Any) -> str:
    if isinstance(value, Undefined):
        message = value._undefined_message
        is_inline_if = message.startswith("the inline if-expression")
        return "an inline `if` that is false and has no `else`" if is_inline_if else message
    if isinstance(value, str | int | float | list | tuple | dict):
        return shown(value)
    return "none" if value is None else "an internal object"


def as_printed(value: Any) -> str:
    """The text that stands for a value. Raises SandboxError for what has none."""
    text = scalar_text(value)
    if text is None:
        raise unfit(value, "text or a number")
    return text


def as_text(value: Any) -> str:
    """A value that has to be text. Raises SandboxError."""
    if not isinstance(value, str):
        raise unfit(value, "text")
    return value


def as_number(value: Any) -> Any:
    """A value that has to be a number. Raises SandboxError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unfit(value, "a number")
    return value


def as_scalar(value: Any) -> Any:
    """A value that has to be text or a number. Raises SandboxError."""
    if not isinstance(value, str | int | float):
        raise unfit(value, "text or a number")
    return value


def as_list(value: Any) -> list[Any] | tuple[Any, ...]:
    """A value that has to be a list. Raises SandboxError."""
    if not isinstance(value, list | tuple):
        raise unfit(value, "a list")
    return value


def as_object(value: Any) -> dict[str, Any]:
    """A value that has to be an object. Raises SandboxError."""
    if not isinstance(value, dict):
        raise unfit(value, "an object")
    return value


def item_at(value: Any, index: int) -> Any:
    """An item of a list or character of a text, undefined where there is none. Raises SandboxError."""
    items = value if isinstance(value, str) else as_list(value)
    return items[index] if items else StrictUndefined("no item in an empty list")


def as_count(value: Any, what: str, most: int) -> int:
    """A value that has to be a whole number from 0 to `most`. Raises SandboxError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise unfit(value, f"{what} from 0 to {most}")
    return value
