"""One example as bytes: its line in a training file, and its digest."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from runner.canonical import sha256_of
from runner.examples.content import Content, Rich
from runner.examples.message_lists import Turn


class ExampleBytes(NamedTuple):
    """Its line, and the hash of its messages that `Example.digest` gives.

    `texts` are those of an example of nothing else: each as JSON, between colons.
    """

    line: bytes
    digest: bytes
    texts: bytes | None = None

    @property
    def text_digest(self) -> bytes | None:
        """The digest of an example of nothing but text."""
        return None if self.texts is None else self.digest


UNWRITTEN = ExampleBytes(b"", b"")


def content_bytes(content: Content) -> ExampleBytes:
    """Encode an example, of text or of more."""
    return rich_bytes(content.line) if isinstance(content, Rich) else example_bytes(content)


def rich_bytes(line: Mapping[str, Any]) -> ExampleBytes:
    """Encode an example that is more than text; the order of its keys is kept."""
    written = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return ExampleBytes(written, bytes.fromhex(sha256_of(line)))


def example_bytes(turns: Iterable[Turn]) -> ExampleBytes:
    """Encode an example of text; the line is what `training_line` gives."""
    encode = text_encoder()
    line, canonical = _shapes(tuple([role for role, _ in turns]))
    texts = tuple([encode(content) for _, content in turns])
    digest = hashlib.sha256(canonical % texts).digest()
    return ExampleBytes(line % texts, digest, b":%b:" % b":".join(texts))


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
