"""Write a value inside a text, the same way on every machine."""

from typing import Any


def scalar_text(value: Any) -> str | None:
    """Text as it is, numbers and truth values as in JSON; None for what cannot stand inside a text.

    A float keeps its decimal point (`3.0`), so that a price does not change its look with its value.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return None
