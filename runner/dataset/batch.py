"""What a worker makes of one piece of a source, as a value and as bytes on a pipe."""

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, NamedTuple, Protocol, TypeVar

from runner.dataset.checks.columns import Columns, Rare

Bytes = bytes | memoryview
Part = TypeVar("Part", bound=Bytes, covariant=True)


class Reader(Protocol[Part]):
    """A stream, or content in memory that is not copied."""

    def readline(self) -> bytes:
        """The bytes up to the next line feed, with it."""

    def read(self, size: int, /) -> Part:
        """So many bytes, fewer at the end."""


class InMemory:
    """Content as a stream whose parts are views of it."""

    def __init__(self, content: bytes, start: int = 0) -> None:
        self._content = content
        self._view = memoryview(content)
        self._at = start

    def readline(self) -> bytes:
        """The bytes up to the next line feed, with it."""
        end = self._content.find(b"\n", self._at) + 1 or len(self._content)
        return bytes(self.read(end - self._at))

    def read(self, size: int, /) -> memoryview:
        """So many bytes, fewer at the end."""
        self._at, start = self._at + size, self._at
        return self._view[start : self._at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines of both sides of the split in order, and what the checks have to know of each example.

    The rows of `examined` are counted from the first of this batch.
    """

    n_rows: int
    n_records: int
    n_examples: tuple[int, int]
    n_tokens: tuple[int, int]
    training: Bytes
    validation: Bytes
    index: Bytes
    examined: Columns

    @property
    def is_end(self) -> bool:
        """Whether this says that a file has no more batches."""
        return self.n_rows < 0


END = Batch(
    n_rows=-1,
    n_records=0,
    n_examples=(0, 0),
    n_tokens=(0, 0),
    training=b"",
    validation=b"",
    index=b"",
    examined=Columns(),
)


class _Head(NamedTuple):
    """What goes before the bytes of a batch, as JSON."""

    n_rows: int
    n_records: int
    n_examples: tuple[int, int]
    n_tokens: tuple[int, int]
    n_scripts: int
    n_mixed_scripts: int
    n_images: int
    rare: Rare
    edges: list[Sequence[str]]
    sizes: list[int]


def write_batch(stream: BinaryIO, batch: Batch | None) -> None:
    """Send a batch, or None for a piece with a record that makes no example."""
    import msgspec

    if batch is None:
        stream.write(b"null\n")
        return
    examined = batch.examined
    blobs = [batch.training, batch.validation, batch.index, *map(_to_bytes, examined.numbers)]
    head = _Head(
        n_rows=batch.n_rows,
        n_records=batch.n_records,
        n_examples=batch.n_examples,
        n_tokens=batch.n_tokens,
        n_scripts=examined.n_scripts,
        n_mixed_scripts=examined.n_mixed_scripts,
        n_images=examined.n_images,
        rare=examined.rare,
        edges=examined.edges,
        sizes=[len(blob) for blob in blobs],
    )
    stream.write(msgspec.json.encode(head) + b"\n")
    stream.writelines(blobs)


def read_batch(stream: Reader[Bytes]) -> Batch | None:
    """Receive a batch. Raises EOFError where the sender ended."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = _decode_head()(line)
    if head is None:
        return None
    training, validation, index, *columns = (read_exactly(stream, size) for size in head.sizes)
    examined = Columns()
    for numbers, content in zip(examined.numbers, columns, strict=True):
        _fill(numbers, content)
    examined.n_scripts, examined.n_mixed_scripts = head.n_scripts, head.n_mixed_scripts
    examined.n_images, examined.rare, examined.edges = head.n_images, head.rare, head.edges
    return Batch(
        n_rows=head.n_rows,
        n_records=head.n_records,
        n_examples=head.n_examples,
        n_tokens=head.n_tokens,
        training=training,
        validation=validation,
        index=index,
        examined=examined,
    )


def _to_bytes(numbers: "array[int]") -> bytes:
    """The lowest byte of each number first, on every machine: those of a cluster may differ."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _fill(numbers: "array[int]", content: Bytes) -> None:
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()


@cache
def _decode_head() -> Callable[[bytes], _Head | None]:
    import msgspec

    return msgspec.json.Decoder(_Head | None).decode


def read_exactly(stream: Reader[Part], size_bytes: int) -> Part:
    """Read so many bytes. Raises EOFError where there are fewer."""
    content = stream.read(size_bytes)
    if len(content) < size_bytes:
        raise EOFError
    return content
