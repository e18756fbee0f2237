"""Parse JSON several times faster where the strict decoder would certainly say the same.

msgspec keeps the last of repeated keys and reads integers of any length; all else that `strict_json` refuses,
it refuses too. Both show in a cheap count, so that whatever is in doubt goes to the strict decoder.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.sources.strict_json import is_too_deep

if TYPE_CHECKING:
    import msgspec

# What is nested deeper than this, far below strict_json.MAX_DEPTH, is left to the strict decoder.
_LEVELS = 6
# An integer longer than strict_json.MAX_DIGITS covers ten of the bytes that stand 64 apart.
_STRIDE = 64
_LONG_NUMBER = re.compile(rb"[0-9]{10}")
# `\u003a` is a colon.
_HIDDEN_COLON = re.compile(rb"\\u003")


def parse_objects(texts: list[bytes], content: bytes) -> list[dict[str, Any]] | None:
    """The objects of JSON texts, None in doubt; `content` holds them all with white space between them."""
    import msgspec

    decode = _object_decoder().decode
    try:
        values = [decode(text) for text in texts]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return values if _is_certain(values, content) else None


def parse_list(content: bytes) -> list[dict[str, Any]] | None:
    """The objects in one JSON list, None in doubt."""
    import msgspec

    try:
        values = _list_decoder().decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return values if _is_certain(values, content) else None


def parse_list_at(content: bytes, path: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """The objects in a list at a path of keys inside one JSON object, None in doubt."""
    import msgspec

    try:
        whole = found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return None
    return found if not is_too_deep(whole) and _is_certain([whole], content) else None


def _is_certain(values: list[Any], content: bytes) -> bool:
    """Whether no key is repeated and no integer is very long.

    As many colons come out as went in, unless a key was dropped with its own; an escape could hide one.
    """
    import msgspec

    encoded = msgspec.json.Encoder().encode_lines(values)
    return (
        encoded.count(b":") == content.count(b":")
        and not _HIDDEN_COLON.search(content)
        and not _LONG_NUMBER.search(content[::_STRIDE])
    )


@cache
def _object_decoder() -> "msgspec.json.Decoder[dict[str, Any]]":
    import msgspec

    return msgspec.json.Decoder(dict[str, _value_type()])  # type: ignore[misc]


@cache
def _list_decoder() -> "msgspec.json.Decoder[list[dict[str, Any]]]":
    import msgspec

    return msgspec.json.Decoder(list[dict[str, _value_type()]])  # type: ignore[misc]


def _value_type() -> Any:
    """Any JSON value of a few levels."""
    scalar: Any = str | int | float | bool | None
    kind: Any = scalar
    for _ in range(_LEVELS):
        kind = scalar | list[kind] | dict[str, kind]
    return kind
