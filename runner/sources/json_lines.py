"""JSONL files: one JSON object per line."""

import json
from collections.abc import Iterator
from typing import TextIO

from runner.display import shown
from runner.issues import Issue, Place
from runner.recipe.model import Source
from runner.sources.base import Record
from runner.sources.lines import bounded_lines
from runner.sources.strict_json import TOO_DEEP, StrictDecoder, syntax_sentence

OPTIONS: frozenset[str] = frozenset()

_SPACE = " \t\r\n"


def read(stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield one record per line; a row is a line of the file, and empty lines are passed over.

    The stream has to split lines at line feeds alone: U+2028 and others are ordinary text inside JSON.
    """
    decoder = StrictDecoder()
    for row, line in enumerate(bounded_lines(stream, file), start=1):
        text = line.rstrip(_SPACE)
        if text:
            yield from _line(decoder, text, file, row)


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
    elif isinstance(value, dict):
        yield Record(value, file, row)
    else:
        yield Issue(place=place, message=f"found {shown(value)}, expected an object. Make it one.")


def _broken(error: json.JSONDecodeError, text: str) -> str:
    sentence = syntax_sentence(error, text)
    if text in ("[", "{") or (text.startswith("[") and error.pos >= len(text)):
        return f"{sentence} Set `format: json` if the file is one JSON value over several lines."
    return sentence
