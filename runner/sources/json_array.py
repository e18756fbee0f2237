"""JSON files: a list of records at the top, or a list inside an object at a dotted path."""

import io
from collections.abc import Iterator
from typing import TextIO

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.hints import listed, nearest
from runner.issues import Issue, Place
from runner.recipe.model import Source
from runner.sources.base import PieceRecords, Record, as_data, only_records
from runner.sources.fast_json import parse_list, parse_list_at
from runner.sources.json_stream import JsonStream
from runner.sources.pieces import cut_array

OPTIONS = frozenset({"records"})

cut = cut_array

_KINDS = {"[": "a list", "{": "an object", '"': "text", "t": "true", "f": "false", "n": "null", "": "nothing"}


def read(stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield the records of the one list, in order.

    Raises InvalidInputError for broken JSON, a path that leads nowhere and text after the value.
    """
    text = JsonStream(stream, file)
    if text.peek() == "":
        raise text.broken(
            "found an empty file, expected a JSON list of records. Fill it, or remove the source."
        )
    if source.records is None:
        yield from _top(text)
    else:
        yield from _inside(text, tuple(source.records.split(".")), ())
    text.row = None
    if text.peek():
        found = _kind(text)
        raise text.broken(
            f"found {found} after the end of the JSON, expected nothing. "
            "Set `format: jsonl` if every line is a record."
        )


def read_piece(content: bytes, source: Source, file: str) -> PieceRecords | None:
    """The records of a piece in UTF-8 with their number, None where one has a problem."""
    path = source.records and tuple(source.records.split("."))
    values = parse_list_at(content, path) if path else parse_list(content)
    if values is None:
        records = only_records(read(io.StringIO(content.decode("utf-8"), newline="\n"), source, file))
    else:
        records = [Record(value, file, row) for row, value in enumerate(values, start=1)]
    return None if records is None else (records, len(records))


def _top(text: JsonStream) -> Iterator[Record | Issue]:
    if text.peek() == "[":
        yield from _elements(text)
        return
    if text.peek() != "{":
        raise _misplaced(
            text.file, f"found {_kind(text)} at the top, expected a list of records. Choose another file."
        )
    lists: list[str] = []
    keys: list[str] = []
    for key in text.entries():
        (lists if text.peek() == "[" else keys).append(key)
        text.skip()
    if text.peek() == "{":
        raise text.broken(
            "found a second object, expected one list of records. "
            "Set `format: jsonl` if every line is a record."
        )
    advice = f"Set `records` to the path of the list; there is one at {listed(lists)}."
    if not lists:
        advice = f"Set `records` to the path of the list; the object has {listed(keys)}."
    raise _misplaced(text.file, f"found an object at the top, expected a list of records. {advice}")


def _inside(text: JsonStream, path: tuple[str, ...], walked: tuple[str, ...]) -> Iterator[Record | Issue]:
    where = f"at '{one_line('.'.join(walked))}'" if walked else "at the top"
    if not path:
        if text.peek() != "[":
            message = (
                f"`records`: found {_kind(text)} {where}, expected a list of records. Choose another path."
            )
            raise _misplaced(text.file, message)
        yield from _elements(text)
        return
    if text.peek() != "{":
        remedy = "Remove `records`." if not walked and text.peek() == "[" else "Choose another path."
        message = (
            f"`records`: found {_kind(text)} {where}, expected an object with {shown(path[0])}. {remedy}"
        )
        raise _misplaced(text.file, message)
    keys = []
    for key in text.entries():
        keys.append(key)
        if key == path[0]:
            yield from _inside(text, path[1:], (*walked, key))
        else:
            text.skip()
    if path[0] not in keys:
        hint = f"{nearest(path[0], keys)} The object has {listed(keys)}.".lstrip()
        raise _misplaced(
            text.file, f"`records`: found no {shown(path[0])} {where}, expected the list. {hint}"
        )


def _elements(text: JsonStream) -> Iterator[Record | Issue]:
    for row, _ in enumerate(text.elements(), start=1):
        text.row = row
        value = text.value()
        place = Place(file=text.file, row=row)
        if text.problems:
            for problem in text.problems:
                yield Issue(place=place, message=problem)
        elif (data := as_data(value)) is not None:
            yield Record(data, text.file, row)
        else:
            yield Issue(place=place, message=f"found {shown(value)}, expected an object. Make it one.")
    text.row = None


def _kind(text: JsonStream) -> str:
    return _KINDS.get(text.peek(), "a number" if text.peek() in "-0123456789" else shown(text.peek()))


def _misplaced(file: str, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=Place(file=file), message=message)])
