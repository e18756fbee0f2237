"""Where examples stand, in a temporary file: twelve bytes each, in memory that stays the same."""

import tempfile
import weakref
from array import array
from collections.abc import Set

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.hits import Origin

_IN_MEMORY_BYTES = 1 << 20


class Places:
    """Told of every example, names the few that are asked for."""

    def __init__(self) -> None:
        # Open as long as this is there.
        self.stream = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, self.stream.close)
        self.heads: list[tuple[str, int, int, dict[int, tuple[int, ...]]]] = []

    def add(self, examples: Columns) -> None:
        """Remember the next examples."""
        ignored = dict(examples.rare.ignored)
        self.heads.append((examples.file, examples.rows_before, len(examples), ignored))
        self.stream.write(examples.identities.tobytes())
        self.stream.write(examples.rows.tobytes())

    def find(self, identities: Set[int]) -> dict[int, Origin]:
        """The examples whose identities begin with these 64 bits."""
        found: dict[int, Origin] = {}
        self.stream.seek(0)
        for file, rows_before, count, ignored in self.heads:
            numbers, rows = array("Q"), array("I")
            for column in (numbers, rows):
                column.frombytes(self.stream.read(count * column.itemsize))
            if identities.isdisjoint(numbers):
                continue
            for place, (identity, row) in enumerate(zip(numbers, rows, strict=True)):
                if identity in identities and identity not in found:
                    origin = Origin(f"{identity:016x}", file, rows_before + row, ignored.get(place, ()))
                    found[identity] = origin
        return found
