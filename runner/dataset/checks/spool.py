"""Columns of numbers in a temporary file, for what a rule looks at again in the end."""

import tempfile
import weakref
from array import array
from collections.abc import Iterable

# What is told of few examples stays in memory.
_IN_MEMORY_BYTES = 8 << 20
# Few long writes: in each of them other threads get their turn.
_GATHERED_COLUMNS = 128


class Spool:
    """Columns one after the other; read back in the order and with the lengths that they were written in."""

    def __init__(self) -> None:
        # Open as long as this is there.
        self._stream = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, self._stream.close)
        self._gathered: list[bytes] = []

    def write(self, columns: "Iterable[array[int]]") -> None:
        """Append columns. Raises OSError, also for what was appended before."""
        self._gathered += [column.tobytes() for column in columns]
        if len(self._gathered) >= _GATHERED_COLUMNS:
            self._write()

    def rewind(self) -> None:
        """Read from the first column on."""
        self._write()
        self._stream.seek(0)

    def read(self, columns: "Iterable[array[int]]", count: int) -> None:
        """Fill the next columns with so many numbers each."""
        for column in columns:
            column.frombytes(self._stream.read(count * column.itemsize))

    def _write(self) -> None:
        self._stream.write(b"".join(self._gathered))
        self._gathered = []
