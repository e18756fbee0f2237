"""What a worker makes of one piece of a source, as a value and as bytes on a pipe."""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, NamedTuple

from runner.dataset.checks.checker import Examined

# Digests come sorted and go into as many bins, so that equal ones meet in one.
N_BINS = 64
_SHIFT = 64 - 6
NUMBER_BYTES = 8

# Of one example: its row in the piece, its identity, the suppressions that apply, its side, and what
# `Examiner.examine` made of it.
Examination = tuple[int, str, tuple[int, ...], str, Examined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines of both sides of the split in order, and what the checks have to know of each example.

    `keys` holds a number of eight bytes for each record, the digest of its key.
    """

    n_rows: int
    n_examples: tuple[int, int]
    n_tokens: tuple[int, int]
    examined: list[Examination]
    training: bytes
    validation: bytes
    index: bytes
    keys: bytes

    @property
    def is_end(self) -> bool:
        """Whether this says that a file has no more batches."""
        return self.n_rows < 0

    @property
    def n_records(self) -> int:
        """How many records became examples."""
        return len(self.keys) // NUMBER_BYTES


END = Batch(
    n_rows=-1,
    n_examples=(0, 0),
    n_tokens=(0, 0),
    examined=[],
    training=b"",
    validation=b"",
    index=b"",
    keys=b"",
)


def bins_of(digests: "array[int]") -> list[int]:
    """Where each bin of sorted digests begins, and where the last one ends."""
    starts = [bisect_left(digests, number << _SHIFT) for number in range(N_BINS)]
    return [*starts, len(digests)]


def numbers(content: bytes) -> "array[int]":
    """The numbers that a batch holds; their highest byte comes first."""
    result = array("Q", content)
    if sys.byteorder == "little":
        result.byteswap()
    return result


class _Head(NamedTuple):
    """What goes before the bytes of a batch, as JSON."""

    n_rows: int
    n_examples: tuple[int, int]
    n_tokens: tuple[int, int]
    examined: list[Examination]
    sizes: tuple[int, int, int, int]


def write_batch(stream: BinaryIO, batch: Batch | None) -> None:
    """Send a batch, or None for a piece with a record that makes no example."""
    import msgspec

    if batch is None:
        stream.write(b"null\n")
        return
    blobs = (batch.training, batch.validation, batch.index, batch.keys)
    training, validation, index, keys = map(len, blobs)
    head = _Head(
        n_rows=batch.n_rows,
        n_examples=batch.n_examples,
        n_tokens=batch.n_tokens,
        examined=batch.examined,
        sizes=(training, validation, index, keys),
    )
    stream.write(msgspec.json.encode(head) + b"\n")
    stream.writelines(blobs)


def read_batch(stream: BinaryIO) -> Batch | None:
    """Receive a batch. Raises EOFError where the sender ended."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = _decode_head()(line)
    if head is None:
        return None
    training, validation, index, keys = (read_exactly(stream, size) for size in head.sizes)
    return Batch(
        n_rows=head.n_rows,
        n_examples=head.n_examples,
        n_tokens=head.n_tokens,
        examined=head.examined,
        training=training,
        validation=validation,
        index=index,
        keys=keys,
    )


@cache
def _decode_head() -> Callable[[bytes], _Head | None]:
    import msgspec

    return msgspec.json.Decoder(_Head | None).decode


def read_exactly(stream: BinaryIO, size_bytes: int) -> bytes:
    """Read so many bytes. Raises EOFError where there are fewer."""
    content = stream.read(size_bytes)
    if len(content) < size_bytes:
        raise EOFError
    return content
