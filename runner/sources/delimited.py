"""CSV and TSV files: a header, then one record per row; every cell is text."""

import csv
import io
from collections.abc import Iterator
from typing import TextIO

from runner.display import shown
from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.recipe.model import Source
from runner.sources.base import PieceRecords, Record
from runner.sources.header import check_header
from runner.sources.lines import bounded_lines
from runner.sources.pieces import MANY_BYTES, cut_delimited

OPTIONS = frozenset({"delimiter"})
cut = cut_delimited
# The csv module stops at 128 KiB by default, less than a long page; without any bound one open quote
# would read the rest of the file into a single cell.
MAX_CELL_CHARACTERS = 1 << 22

_DELIMITERS = {"csv": ",", "tsv": "\t"}
_NOT_DELIMITERS = '"\r\n\0'


def read(stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield one record per row below the header; empty rows are passed over, but counted.

    Raises InvalidInputError for a header that cannot be used and for broken quotes.
    """
    rows = _rows(stream, _delimiter(source, file), file)
    _, header = next(((line, row) for line, row in rows if row), (0, []))
    check_header(header, file)
    for number, (line, cells) in enumerate(rows, start=1):
        if len(cells) == len(header):
            yield Record(dict(zip(header, cells, strict=True)), file, number)
        elif cells:
            found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = (
                f"found {found} (line {line}), expected {len(header)} as in the header. "
                "Put a cell that holds the delimiter or a line break in double quotes."
            )
            yield Issue(place=Place(file=file, row=number), message=message)


def read_piece(content: bytes, source: Source, file: str) -> PieceRecords | None:
    """The records of a piece in UTF-8 with the rows below its header, None where one has a problem."""
    rows = _rows(io.StringIO(content.decode("utf-8"), newline=""), _delimiter(source, file), file)
    header = next((row for _, row in rows if row), [])
    check_header(header, file)
    records, number, width = [], 0, len(header)
    for number, (_, cells) in enumerate(rows, start=1):
        if len(cells) == width:
            records.append(Record(dict(zip(header, cells, strict=True)), file, number))
        elif cells:
            return None
    return None if not records and number > MANY_BYTES else (records, number)


def _delimiter(source: Source, file: str) -> str:
    delimiter = source.delimiter or _DELIMITERS.get(source.format or "csv", ",")
    if len(delimiter) != 1 or delimiter in _NOT_DELIMITERS:
        message = f"`delimiter`: found {shown(delimiter)}, expected one character such as ';'. Change it."
        raise InvalidInputError([Issue(place=Place(file=file), message=message)])
    return delimiter


def _rows(stream: TextIO, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(bounded_lines(stream, file), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            place = Place(file=file, line=start)
            raise InvalidInputError([Issue(place=place, message=_quote_sentence(error))]) from None
        yield start, row


def _quote_sentence(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return (
            f"found a cell of more than {MAX_CELL_CHARACTERS} characters, expected less. "
            "Look for a double quote that is not closed."
        )
    if "unexpected end" in text:
        return "found a double quote that is never closed, expected its end. Close it."
    if "expected after" in text:
        return (
            "found text after a closing double quote, expected the delimiter. "
            "Write a double quote inside a quoted cell twice."
        )
    return f"found a row that cannot be read ({text}), expected cells and delimiters. Repair it."
