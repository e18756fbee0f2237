"""JSONL files: one JSON object per line."""

import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from runner.display import shown
from runner.issues import Issue, Place
from runner.recipe.model import Source
from runner.sources.base import PieceRecords, Record, as_data, only_records
from runner.sources.fast_json import parse_objects
from runner.sources.lines import bounded_lines
from runner.sources.pieces import MANY_BYTES, cut_lines
from runner.sources.strict_json import TOO_DEEP, StrictDecoder, syntax_sentence

OPTIONS: frozenset[str] = frozenset()

cut = cut_lines

_SPACE = " \t\r\n"
_BLANK = re.compile(rb"[ \t\r]*")


def read(stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield one record per line; a row is a line of the file, and empty lines are passed over.

    The stream has to split lines at line feeds alone: U+2028 and others are ordinary text inside JSON.
    """
    decoder = StrictDecoder()
    for row, line in enumerate(bounded_lines(stream, file), start=1):
        text = line.rstrip(_SPACE)
        if text:
            yield from _line(decoder, text, file, row)


def read_piece(content: bytes, source: Source, file: str) -> PieceRecords | None:
    """The records of a piece in UTF-8 with the number of its lines, None where one has a problem."""
    if len(content) > MANY_BYTES and content.isspace():
        return None
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows: Sequence[int] = range(1, len(lines) + 1)
    values = parse_objects(lines, content)
    if values is None and any(map(_BLANK.fullmatch, lines)):
        rows = [row for row in rows if not _BLANK.fullmatch(lines[row - 1])]
        values = parse_objects([lines[row - 1] for row in rows], content)
    if values is None:
        records = only_records(read(io.StringIO(content.decode("utf-8"), newline="\n"), source, file))
    else:
        records = [Record(value, file, row) for row, value in zip(rows, values, strict=True)]
    return None if records is None else (records, len(lines))


def _line(decoder: StrictDecoder, text: str, file: str, row: int) -> Iterator[Record | Issue]:
    place = Place(file=file, row=row)
    try:
        value, end = decoder.decode(text, len(text) - len(text.lstrip(_SPACE)))
    except json.JSONDecodeError as error:
        where = Place(file=file, line=row, column=error.pos + 1)
        yield Issue(place=where, message=_broken(error, text))
        return
    except RecursionError:
        yield Issue(place=place, message=TOO_DEEP)
        return
    if decoder.problems:
        yield from (Issue(place=place, message=problem) for problem in decoder.problems)
    elif end < len(text):
        where = Place(file=file, line=row, column=end + 1)
        yield Issue(
            place=where, message="found more text after the object, expected one per line. Split the line."
        )
    elif (data := as_data(value)) is not None:
        yield Record(data, file, row)
    else:
        yield Issue(place=place, message=f"found {shown(value)}, expected an object. Make it one.")


def _broken(error: json.JSONDecodeError, text: str) -> str:
    sentence = syntax_sentence(error, text)
    if text in ("[", "{") or (text.startswith("[") and error.pos >= len(text)):
        return f"{sentence} Set `format: json` if the file is one JSON value over several lines."
    return sentence
