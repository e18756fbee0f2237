"""Where examples stand, in a temporary file: twelve bytes each, in memory that stays the same."""

from array import array
from collections.abc import Set

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.hits import Origin
from runner.dataset.checks.spool import Spool


class Places:
    """Told of every example, names the few that are asked for."""

    def __init__(self) -> None:
        self.spool = Spool()
        self.heads: list[tuple[str, int, int, dict[int, tuple[int, ...]]]] = []

    def add(self, examples: Columns) -> None:
        """Remember the next examples."""
        ignored = dict(examples.rare.ignored)
        self.heads.append((examples.file, examples.rows_before, len(examples), ignored))
        self.spool.write((examples.identities, examples.rows))

    def find(self, identities: Set[int]) -> dict[int, Origin]:
        """The examples whose identities begin with these 64 bits."""
        found: dict[int, Origin] = {}
        self.spool.rewind()
        for file, rows_before, count, ignored in self.heads:
            numbers, rows = array("Q"), array("I")
            self.spool.read((numbers, rows), count)
            if identities.isdisjoint(numbers):
                continue
            for place, (identity, row) in enumerate(zip(numbers, rows, strict=True)):
                if identity in identities and identity not in found:
                    origin = Origin(f"{identity:016x}", file, rows_before + row, ignored.get(place, ()))
                    found[identity] = origin
        return found
