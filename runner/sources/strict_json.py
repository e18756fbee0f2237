"""Decode JSON and say what in it another program would read differently."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from runner.display import one_line, shown

MAX_DEPTH = 200
# The lowest limit that a Python can be set to, so that every number read can be printed everywhere.
# https://docs.python.org/3/library/stdtypes.html#int-max-str-digits (2026-11)
MAX_DIGITS = 640

TOO_DEEP = f"found nesting deeper than {MAX_DEPTH} levels, expected less. Flatten the record."

_EXPECTED = {
    "Expecting value": "a value",
    "Expecting ',' delimiter": "a comma or the closing bracket",
    "Expecting ':' delimiter": "a colon",
    "Expecting property name": "a key in double quotes",
    "Illegal trailing comma": "another item after the comma",
}


class StrictDecoder:
    """Decodes values; `problems` holds what strict JSON refuses in the last one, as sentences."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    def decode(self, text: str, start: int) -> tuple[Any, int]:
        """Decode the value that begins at `start`; returns it with its end.

        Raises json.JSONDecodeError for broken syntax and RecursionError for absurd nesting.
        """
        self.problems.clear()
        value, end = self._decoder.raw_decode(text, start)
        # Few texts have so many brackets, or escapes of that kind: only those are walked through.
        if text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH and is_too_deep(value):
            self.problems.append(TOO_DEEP)
        elif text.find("\\ud", start, end) >= 0 or text.find("\\uD", start, end) >= 0:
            self.problems += surrogate_problems(value)
        return value, end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            again = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
            self.problems.append(
                f"found the key {shown(again)} twice in one object, expected each key once. Remove one."
            )
        return result

    def _integer(self, text: str) -> int:
        digits = len(text.lstrip("-"))
        if digits > MAX_DIGITS:
            self.problems.append(
                f"found an integer of {digits} digits, expected at most {MAX_DIGITS}. "
                "Put it in quotes to keep it as text."
            )
            return 0
        return int(text)

    def _float(self, text: str) -> float:
        value = float(text)
        if math.isinf(value):
            self.problems.append(
                f"found the number {one_line(text, limit=40)}, expected one that fits a 64-bit float. "
                "Put it in quotes to keep it as text."
            )
        return value

    def _constant(self, text: str) -> float:
        self.problems.append(f"found {text}, expected a JSON number. Use null, and give the field a default.")
        return 0.0


def syntax_sentence(error: json.JSONDecodeError, text: str) -> str:
    """Say what stands where JSON breaks off, and what belongs there; the same on every Python."""
    if error.msg.startswith("Unterminated string"):
        return "found text without its closing quote, expected '\"'. Close it."
    if error.msg.startswith("Invalid control character"):
        return "found a raw control character inside text, expected an escape such as \\n. Escape it."
    if error.msg.startswith("Invalid \\"):
        return "found an escape that JSON does not have, expected one such as \\n or \\u00e9. Repair it."
    expected = next((value for key, value in _EXPECTED.items() if error.msg.startswith(key)), "JSON")
    return f"found {found_at(text, error.pos)}, expected {expected}. Repair the JSON."


def found_at(text: str, position: int) -> str:
    """The character at a position, for a message."""
    return shown(text[position]) if position < len(text) else "the end of the text"


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects stand inside each other more than MAX_DEPTH levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _children(item)]
    return any(isinstance(item, list | dict) for item in level)


def surrogate_problems(value: Any) -> Iterator[str]:
    """A sentence for each text, key or value, that cannot be written as UTF-8."""
    for where, text in _texts(value, ""):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"\\u{ord(text[error.start]):04x}"
            at = f" in {shown(where)}" if where else ""
            yield f"found half of a surrogate pair ({half}){at}, expected whole characters. Repair the text."


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield where, key
            yield from _texts(item, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{where}[{index}]")
