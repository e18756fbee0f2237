"""One example as bytes: its line in a training file, and its digests."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from runner.canonical import sha256_of
from runner.examples.message_lists import Turn


class ExampleBytes(NamedTuple):
    """Its line, and the hash of its messages that `Example.digest` gives."""

    line: bytes
    digest: bytes


class TextBytes(NamedTuple):
    """As `ExampleBytes`, of an example of text alone.

    `question` hashes all messages but the last; `texts` are each as JSON, between colons.
    """

    line: bytes
    digest: bytes
    question: bytes
    texts: bytes
    roles: tuple[str, ...]


def rich_bytes(line: Mapping[str, Any]) -> ExampleBytes:
    """Encode an example that is more than text; the order of its keys is kept."""
    written = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return ExampleBytes(written, bytes.fromhex(sha256_of(line)))


def text_bytes(turns: Sequence[Turn]) -> TextBytes:
    """Encode an example of text; the line is what `training_line` gives."""
    encode = text_encoder()
    roles = tuple([role for role, _ in turns])
    line, before, last = _shapes(roles)
    texts = [encode(content) for _, content in turns]
    canonical = hashlib.sha256(before % tuple(texts[:-1]))
    question = canonical.digest()
    canonical.update(last % tuple(texts[-1:]))
    return TextBytes(line % tuple(texts), canonical.digest(), question, b":%b:" % b":".join(texts), roles)


@cache
def _shapes(roles: tuple[str, ...]) -> tuple[bytes, bytes, bytes]:
    """What stands around the texts of messages with these roles.

    In the line; in the canonical form, before the last message; in the rest of it.
    """
    names = [text_encoder()(role).replace(b"%", b"%%") for role in roles]
    parts = [b'{"role":' + name + b',"content":%b}' for name in names]
    # The canonical form has its keys sorted.
    canonical = [b'{"content":%b,"role":' + name + b"}" for name in names]
    return (
        b'{"messages":[' + b",".join(parts) + b"]}\n",
        b"[" + b"".join(part + b"," for part in canonical[:-1]),
        b"".join(canonical[-1:]) + b"]",
    )


@cache
def text_encoder() -> Callable[[str], bytes]:
    """Writes text as JSON with only those escapes that it needs; a test compares every character."""
    import msgspec

    return msgspec.json.Encoder().encode
