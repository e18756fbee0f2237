"""A record, and what a module that reads a file format provides."""

from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TextIO, runtime_checkable

from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.pieces import Piece


class Record(NamedTuple):
    """One record; `file` is relative to the project root, `row` counts from 1 and skips nothing.

    `copies` is how often it makes its examples. A tuple, because millions are made.
    """

    data: dict[str, Any]
    file: str
    row: int
    copies: int = 1

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return Place(file=self.file, row=self.row)


# The field of a record that is a list of texts.
ITEMS = "items"


def as_data(value: Any) -> dict[str, Any] | None:
    """The fields of a record: those of an object, or one with all texts of a list; None for other values."""
    if isinstance(value, dict):
        return value
    is_texts = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
    return {ITEMS: value} if is_texts else None


# The records of a piece, and how many rows it has with those that are passed over.
PieceRecords = tuple[list[Record], int]


class Format(Protocol):
    """A module that reads one text format; `OPTIONS` names the keys of a source that it understands."""

    @property
    def OPTIONS(self) -> frozenset[str]: ...  # noqa: N802

    def read(self, stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
        """Yield the records in order, and an issue in the place of each that cannot be used.

        Raises InvalidInputError where reading cannot go on.
        """


@runtime_checkable
class CuttableFormat(Format, Protocol):
    """A format whose files can be cut into pieces that several processes read."""

    def cut(self, stream: BufferedIOBase, source: Source, size_bytes: int) -> Iterator[Piece]:
        """Yield pieces of about that size in order; raises UncuttableError where there are none."""

    def read_piece(self, content: bytes, source: Source, file: str) -> PieceRecords | None:
        """The records that `read` would yield for these bytes of UTF-8, rows counted from 1.

        Returns None where `read` would yield an issue; may raise InvalidInputError or UnicodeError instead.
        """


def only_records(items: Iterable[Record | Issue]) -> list[Record] | None:
    """The records, None if there is an issue among them."""
    records = []
    for item in items:
        if isinstance(item, Issue):
            return None
        records.append(item)
    return records


# The rows of a file that one process takes at a time where several share it.
BLOCK_ROWS = 1_024


class Share(NamedTuple):
    """Of a file's blocks of BLOCK_ROWS rows one in `every`, from the one of number `first` on."""

    first: int
    every: int

    def has(self, row: int) -> bool:
        """Whether a row belongs to it; rows count from 0."""
        return row // BLOCK_ROWS % self.every == self.first


WHOLE = Share(0, 1)


class BinaryFormat(Protocol):
    """A module that reads one format which is no text and is not read from one end to the other."""

    @property
    def OPTIONS(self) -> frozenset[str]: ...  # noqa: N802

    @property
    def PACKAGE(self) -> str: ...  # noqa: N802

    def read(self, path: Path, source: Source, file: str, grants: Grants) -> Iterator[Record | Issue]:
        """Yield the records in order, and an issue in the place of each that cannot be used.

        Raises InvalidInputError where reading cannot go on, OSError as `open` does.
        """


@runtime_checkable
class SharedFormat(BinaryFormat, Protocol):
    """A format of which rows are passed over with far less work than it takes to make records of them."""

    def read_share(
        self, path: Path, source: Source, file: str, grants: Grants, share: Share
    ) -> Iterator[Record | Issue]:
        """Yield of what `read` does that which belongs to a share."""


class Select(Protocol):
    """What becomes of the records of one source."""

    def choose(self, record: Record) -> Record | Issue | None:
        """The record as it comes out, or an issue, or None where it is left out."""

    def end(self) -> Issue | None:
        """What is wrong with the source as a whole, once all of it was read."""


def unusable(file: str, message: str) -> InvalidInputError:
    """An error about a whole file."""
    return InvalidInputError([Issue(place=Place(file=file), message=message)])
