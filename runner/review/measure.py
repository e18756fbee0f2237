"""Conversations measured by the hundred, and those that both states share measured once."""

from collections.abc import Sequence
from typing import NamedTuple

from runner.dataset.tokens import TokenCounter
from runner.dataset.write import training_line
from runner.examples.read import Message

Messages = tuple[Message, ...]
# Enough to meet a conversation again on the other side, a few hundred records added or removed before it.
CHUNK = 512


class Measure(NamedTuple):
    """A conversation's line in a training file, and its tokens."""

    line: bytes
    n_tokens: int


class Measures:
    """Measures what both states show next; remembers for one chunk what stood on one side alone."""

    def __init__(self, counter: TokenCounter) -> None:
        self.counter = counter
        self.recent: dict[Messages, Measure] = {}
        self.older: dict[Messages, Measure] = {}

    def of(self, columns: Sequence[Sequence[Messages | None]]) -> list[list[Measure | None]]:
        """The measures of one list of conversations for each state, all of the same length."""
        new: list[Messages] = []
        alone: dict[Messages, int] = {}
        places: list[tuple[int | Measure | None, ...]] = []
        for cells in zip(*columns, strict=True):
            if len(cells) == 2 and cells[0] is not None and cells[0] == cells[1]:
                places.append((len(new), len(new)))
                new.append(cells[0])
            else:
                places.append(tuple(self._find(cell, new, alone) for cell in cells))
        counted = self.counter.count_all(new) if new else []
        made = [Measure(training_line(item), n) for item, n in zip(new, counted, strict=True)]
        self.older, self.recent = self.recent, {item: made[place] for item, place in alone.items()}
        rows = [[made[place] if isinstance(place, int) else place for place in row] for row in places]
        return [list(column) for column in zip(*rows, strict=True)]

    def _find(
        self, cell: Messages | None, new: list[Messages], alone: dict[Messages, int]
    ) -> int | Measure | None:
        """Where the measure of a conversation will stand, or the one that it had a little earlier."""
        if cell is None:
            return None
        known = self.recent.get(cell) or self.older.get(cell)
        if known is None and cell not in alone:
            alone[cell] = len(new)
            new.append(cell)
        return known or alone[cell]
