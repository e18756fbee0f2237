"""One example as bytes: its line in a training file, and the digests by which it is compared."""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from runner.examples.message_lists import Turn


class ExampleBytes(NamedTuple):
    """Its line, the hash of its messages that `Example.digest` gives, and one of all but the last."""

    line: bytes
    digest: bytes
    question: bytes


def example_bytes(turns: Iterable[Turn]) -> ExampleBytes:
    """Encode an example; the line is what `training_line` gives."""
    encode = text_encoder()
    line, canonical, question = _shapes(tuple([role for role, _ in turns]))
    texts = tuple([encode(content) for _, content in turns])
    return ExampleBytes(
        line % texts,
        hashlib.sha256(canonical % texts).digest(),
        hashlib.sha256(question % texts[:-1]).digest(),
    )


@cache
def _shapes(roles: tuple[str, ...]) -> tuple[bytes, bytes, bytes]:
    """What stands around the texts of messages with these roles: line, canonical form, question."""
    names = [text_encoder()(role).replace(b"%", b"%%") for role in roles]
    parts = [b'{"role":' + name + b',"content":%b}' for name in names]
    # The canonical form has its keys sorted.
    canonical = [b'{"content":%b,"role":' + name + b"}" for name in names]
    return (
        b'{"messages":[' + b",".join(parts) + b"]}\n",
        b"[" + b",".join(canonical) + b"]",
        b",".join(parts[:-1]),
    )


@cache
def text_encoder() -> Callable[[str], bytes]:
    """Writes text as JSON with only those escapes that it needs; a test compares every character."""
    import msgspec

    return msgspec.json.Encoder().encode
