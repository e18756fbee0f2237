"""Text from files and servers, made unable to drive a terminal."""

import re
import unicodedata

# C0 and C1 controls but newline and tab, zero-width and bidirectional controls, line separators, the BOM
# and unpaired surrogates: what can move a cursor, hide or reorder text. https://trojansource.codes (2021-11)
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def neutralise(text: str) -> str:
    """Replace every character that could drive a terminal by its visible escape; newlines and tabs stay."""
    return _UNSAFE.sub(lambda match: _escape(match.group()), text)


def neutral_json(text: str) -> str:
    """JSON that means the same, with every character that could drive a terminal as an escape of JSON."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def spelled_out(text: str) -> str:
    """As `neutralise`, and marks and parts of syllables too, so that texts that differ look different."""
    return "".join(
        char if char == "\n" or (char.isprintable() and not _is_part(char)) else _escape(char)
        for char in neutralise(text)
    )


def one_line(text: str, *, limit: int = 80) -> str:
    """Neutralise text and cut it to a single line of at most `limit` characters."""
    flat = neutralise(text).replace("\n", "\\n").replace("\t", "\\t")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def shown(value: object, *, limit: int = 60) -> str:
    """Name a value the way people write it in YAML or JSON: quoted text, true, null, a list."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{one_line(value, limit=limit)}'"
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    return one_line(str(value), limit=limit)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 error`, `2 errors`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _is_part(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or unicodedata.category(char).startswith("M")


def _escape(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
