"""A record, and what a module that reads a file format provides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from runner.issues import Issue, Place
from runner.recipe.model import Source


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `file` is relative to the project root, `row` counts from 1 and skips nothing."""

    data: dict[str, Any]
    file: str
    row: int

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return Place(file=self.file, row=self.row)


class Format(Protocol):
    """A module that reads one file format; `OPTIONS` names the keys of a source that it understands."""

    @property
    def OPTIONS(self) -> frozenset[str]: ...  # noqa: N802

    def read(self, stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
        """Yield the records in order, and an issue in the place of each that cannot be used.

        Raises InvalidInputError where reading cannot go on.
        """
