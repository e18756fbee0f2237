"""Excel workbooks (.xlsx): one sheet, its first row the header, one record per row below."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from runner.display import one_line, shown
from runner.hints import listed, nearest
from runner.issues import Issue, Place
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.base import Record, unusable
from runner.sources.header import check_header
from runner.sources.unpack import refuse_zip_bomb
from runner.sources.values import records_of

OPTIONS = frozenset({"sheet"})
PACKAGE = "openpyxl"

COUNTED_ROWS = 10_000
# What in a number format is no part of a date or time: quoted text, escapes, colours and locales.
_NOT_PARTS = re.compile(r'"[^"]*"|\\.|\[[^hms\]][^\]]*\]')
_ERROR = "e"


def read(path: Path, source: Source, file: str, grants: Grants) -> Iterator[Record | Issue]:
    """Yield one record per row below the header; empty rows are passed over, but counted.

    A formula gives the value that the program which saved the file had computed.
    """
    with _opened(path, file, grants) as book:
        yield from _read_sheet(_sheet(book, source.sheet, file), file)


def count_rows(path: Path, file: str, grants: Grants) -> dict[str, int]:
    """The rows of each sheet that hold anything, up to COUNTED_ROWS. Raises as `read` does."""
    with _opened(path, file, grants) as book:
        found = {}
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = islice(sheet.iter_rows(values_only=True), COUNTED_ROWS)
            found[sheet.title] = sum(any(value is not None for value in row) for row in rows)
        return found


@contextmanager
def _opened(path: Path, file: str, grants: Grants) -> Iterator[Any]:
    refuse_zip_bomb(path, file, grants)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    with path.open("rb") as stream:
        try:
            with warnings.catch_warnings():
                # It warns of parts that it passes over, such as pictures.
                warnings.simplefilter("ignore")
                book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
                yield book
        except _faults(InvalidFileException) as error:
            # Its own messages name the file by its whole path; what caused them does not.
            cause = error.__cause__ or error
            reason = one_line(str(cause), limit=120) or type(cause).__name__
            raise unusable(
                file, f"found a file that is no sound Excel file ({reason}), expected one. Save it again."
            ) from None


def _faults(invalid: type[Exception]) -> tuple[type[Exception], ...]:
    """What openpyxl raises for XML and archives that are not as it takes them to be."""
    return (invalid, BadZipFile, SyntaxError, ValueError, KeyError, TypeError, AttributeError, IndexError)


def _sheet(book: Any, name: str | None, file: str) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets:
        raise unusable(file, "found no sheet, expected one with a header. Choose another file.")
    if name is None and len(sheets) > 1:
        raise unusable(
            file,
            f"found {len(sheets)} sheets ({listed(sheets)}), expected one. Set `sheet`.",
        )
    if name is not None and name not in sheets:
        hint = nearest(name, sheets) or f"The file has {listed(sheets)}."
        raise unusable(file, f"`sheet`: found no {shown(name)}, expected a sheet of the file. {hint}")
    return sheets[name] if name is not None else book.worksheets[0]


def _read_sheet(sheet: Any, file: str) -> Iterator[Record | Issue]:
    # What a file says of its own size may be wrong.
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(), start=1)
    number, header = next(
        ((number, cells) for number, cells in rows if any(cell.value is not None for cell in cells)), (0, ())
    )
    names = _names(header, file)
    for at, cells in rows:
        values = [_value(cell) for cell in cells[: len(names)]]
        if any(value is not None for value in values):
            values += [None] * (len(names) - len(values))
            yield from _checked(names, values, cells, file, at - number)


def _checked(
    names: Sequence[str], values: Sequence[Any], cells: Sequence[Any], file: str, row: int
) -> Iterator[Record | Issue]:
    place = Place(file=file, row=row)
    errors = [
        Issue(
            place=place,
            message=f"column {shown(name)}: found the error {shown(cell.value)}, expected a value. "
            "Repair the formula.",
        )
        for name, cell in zip(names, cells, strict=False)
        if cell.value is not None and cell.data_type == _ERROR
    ]
    beyond = next((cell for cell in cells[len(names) :] if cell.value is not None), None)
    if beyond is not None:
        message = (
            f"found {shown(beyond.value)} in column {beyond.column}, beyond the {len(names)} of the header, "
            "expected no more. Name the column, or clear the cell."
        )
        errors.append(Issue(place=place, message=message))
    if errors:
        yield from errors
    else:
        yield from records_of(names, values, file, row)


def _names(header: Sequence[Any], file: str) -> list[str]:
    names = ["" if cell.value is None else str(cell.value) for cell in header]
    while names and not names[-1]:
        names.pop()
    check_header(names, file)
    return names


def _value(cell: Any) -> Any:
    value = cell.value
    # A day without a time is kept as midnight; only its format tells.
    if isinstance(value, datetime) and not _shows_time(str(cell.number_format)):
        return value.date()
    return value


def _shows_time(number_format: str) -> bool:
    return any(letter in "hs" for letter in _NOT_PARTS.sub("", number_format).lower())
