"""One example as bytes: its line in a training file, and its digest."""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from runner.examples.message_lists import Turn


class ExampleBytes(NamedTuple):
    """Its line, and the hash of its messages that `Example.digest` gives."""

    line: bytes
    digest: bytes


def example_bytes(turns: Iterable[Turn]) -> ExampleBytes:
    """Encode an example; the line is what `training_line` gives."""
    encode = text_encoder()
    line, canonical = _shapes(tuple([role for role, _ in turns]))
    texts = tuple([encode(content) for _, content in turns])
    return ExampleBytes(line % texts, hashlib.sha256(canonical % texts).digest())


@cache
def _shapes(roles: tuple[str, ...]) -> tuple[bytes, bytes]:
    """What stands around the texts of messages with these roles: line and canonical form."""
    names = [text_encoder()(role).replace(b"%", b"%%") for role in roles]
    parts = [b'{"role":' + name + b',"content":%b}' for name in names]
    # The canonical form has its keys sorted.
    canonical = [b'{"content":%b,"role":' + name + b"}" for name in names]
    return (
        b'{"messages":[' + b",".join(parts) + b"]}\n",
        b"[" + b",".join(canonical) + b"]",
    )


@cache
def text_encoder() -> Callable[[str], bytes]:
    """Writes text as JSON with only those escapes that it needs; a test compares every character."""
    import msgspec

    return msgspec.json.Encoder().encode
