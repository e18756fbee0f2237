"""YAML files: a list of records, or one record per document; read strictly and piece by piece."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.hints import listed, nearest
from runner.issues import Issue, Place
from runner.recipe.model import Source
from runner.sources.base import Record, as_data
from runner.sources.strict_json import MAX_DEPTH, TOO_DEEP

if TYPE_CHECKING:
    import yaml

OPTIONS = frozenset({"records"})

# The parser takes seconds for so many, and no template renders as many.
MAX_VALUE_CHARACTERS = 1 << 21

_NOT_NUMBERS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


def read(stream: TextIO, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield the records of every document, in order; a row is a record of the file.

    Raises InvalidInputError for broken YAML, and for anchors, aliases, tags and merge keys.
    """
    events = _Events(stream, file)
    path = tuple(source.records.split(".")) if source.records is not None else ()
    row = 0
    while events.starts_document():
        if path:
            values = _inside(events, path, ())
        elif events.peek_is("SequenceStartEvent"):
            values = events.elements()
        else:
            values = iter([None])
        for _ in values:
            row += 1
            yield from _record(events, file, row)
        events.end_document()


def _record(events: "_Events", file: str, row: int) -> Iterator[Record | Issue]:
    events.problems.clear()
    value = events.value()
    place = Place(file=file, row=row)
    if events.problems:
        yield from (Issue(place=place, message=problem) for problem in events.problems)
    elif (data := as_data(value)) is not None:
        yield Record(data, file, row)
    else:
        yield Issue(place=place, message=f"found {shown(value)}, expected a mapping. Make it one.")


def _inside(events: "_Events", path: tuple[str, ...], walked: tuple[str, ...]) -> Iterator[None]:
    where = f"at '{one_line('.'.join(walked))}'" if walked else "at the top"
    if not path:
        if not events.peek_is("SequenceStartEvent"):
            raise events.refused(f"`records`: found no list {where}, expected a list of records. Change it.")
        yield from events.elements()
        return
    if not events.peek_is("MappingStartEvent"):
        raise events.refused(
            f"`records`: found no mapping {where}, expected one with {shown(path[0])}. Choose another path."
        )
    keys = []
    for key in events.entries():
        keys.append(key)
        if key == path[0]:
            yield from _inside(events, path[1:], (*walked, key))
        else:
            events.value()
    if path[0] not in keys:
        hint = f"{nearest(path[0], keys)} The mapping has {listed(keys)}.".lstrip()
        raise events.refused(f"`records`: found no {shown(path[0])} {where}, expected the list. {hint}")


class _Events:
    """What the parser says, one event ahead; `problems` are those of the value that is being read."""

    def __init__(self, stream: TextIO, file: str) -> None:
        # PyYAML is not needed by other formats, and takes long to import.
        import yaml

        self._yaml = yaml
        self._file = file
        self._stream = _Metered(stream)
        self._parser = self._parsed()
        self._next = next(self._parser)
        self.problems: list[str] = []

    def starts_document(self) -> bool:
        """Step to the value of the next document; false at the end."""
        self._take()
        if isinstance(self._next, self._yaml.StreamEndEvent):
            return False
        self._take()
        if self._is_empty_document():
            self._take()
            return self.starts_document()
        return True

    def end_document(self) -> None:
        """Stop at the end of the document."""
        if not isinstance(self._next, self._yaml.DocumentEndEvent):
            raise AssertionError("BUG: a document was not read to its end")

    def peek_is(self, name: str) -> bool:
        """Whether the next event is of this kind."""
        return type(self._next).__name__ == name

    def elements(self) -> Iterator[None]:
        """Stop before each element of a list; the caller reads it."""
        self._take()
        while not self.peek_is("SequenceEndEvent"):
            yield
        self._take()

    def entries(self) -> Iterator[str]:
        """Stop before each value of a mapping and yield its key; the caller reads the value."""
        self._take()
        seen: set[str] = set()
        while not self.peek_is("MappingEndEvent"):
            key = self._key()
            if key in seen:
                self.problems.append(
                    f"found the key {shown(key)} twice in one mapping, expected each key once. Remove one."
                )
            seen.add(key)
            yield key
        self._take()

    def value(self, depth: int = 0) -> Any:
        """Read the next value whole."""
        if depth > MAX_DEPTH:
            raise self.refused(TOO_DEEP)
        if self.peek_is("SequenceStartEvent"):
            return [self.value(depth + 1) for _ in self.elements()]
        if self.peek_is("MappingStartEvent"):
            return {key: self.value(depth + 1) for key in self.entries()}
        return self._scalar(self._take())

    def refused(self, message: str, mark: Any = None) -> InvalidInputError:
        """An error at a place in the file, by default the next event's."""
        mark = mark or self._next.start_mark
        place = Place(file=self._file)
        if mark is not None:
            place = Place(file=self._file, line=mark.line + 1, column=mark.column + 1)
        return InvalidInputError([Issue(place=place, message=message)])

    def _is_empty_document(self) -> bool:
        event = self._next
        return isinstance(event, self._yaml.ScalarEvent) and event.value == "" and event.implicit[0]

    def _key(self) -> str:
        event = self._take()
        if not isinstance(event, self._yaml.ScalarEvent):
            raise self.refused(
                "found a list or mapping as a key, expected text. Put it in quotes.", event.start_mark
            )
        key: str = event.value
        if key == "<<" and event.implicit[0]:
            raise self.refused(
                "found a merge key `<<`, expected plain keys. Write the values out.", event.start_mark
            )
        return key

    def _scalar(self, event: "yaml.Event") -> Any:
        from runner.recipe.yaml import plain_value

        if not isinstance(event, self._yaml.ScalarEvent):
            raise AssertionError(f"BUG: a YAML event of type {type(event).__name__}")
        text: str = event.value
        try:
            value = plain_value(text) if event.style is None else text
        except OverflowError:
            self.problems.append(
                f"found the number {one_line(text, limit=40)}, expected one that fits a 64-bit float. "
                "Put it in quotes to keep it as text."
            )
            return None
        if event.style is None and _NOT_NUMBERS.fullmatch(text):
            self.problems.append(
                f"found {text}, expected a number. Use null, and give the field a default, or quote it."
            )
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            self.problems.append(
                "found half of a surrogate pair, expected whole characters. Repair the text."
            )
        return value

    def _take(self) -> "yaml.Event":
        event = self._next
        self._stream.n_characters = 0
        self._next = next(self._parser, event)
        return event

    def _parsed(self) -> "Iterator[yaml.Event]":
        try:
            for event in self._yaml.parse(self._stream, Loader=self._yaml.SafeLoader):
                self._check(event)
                yield event
        except self._yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = one_line(str(error.problem or error), limit=120)
            raise self.refused(
                f"found broken YAML ({reason}), expected a value. Check quotes and indentation.", mark
            ) from None
        except self._yaml.reader.ReaderError as error:
            message = (
                f"found the character U+{int(error.character):04X}, which YAML does not allow, "
                "expected visible text. Remove it, or write it as an escape in quotes."
            )
            raise InvalidInputError([Issue(place=Place(file=self._file), message=message)]) from None
        except _OddBreakError as error:
            message = (
                f"found U+{ord(error.character):04X}, a line break that only YAML sees as one, expected "
                "visible text. Write it as an escape in double quotes."
            )
            place = Place(file=self._file, line=error.line)
            raise InvalidInputError([Issue(place=place, message=message)]) from None
        except _TooLongError:
            message = (
                f"found a value of more than {MAX_VALUE_CHARACTERS} characters, expected a record of text. "
                "Split it."
            )
            raise self.refused(message) from None

    def _check(self, event: "yaml.Event") -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        found = ""
        if isinstance(event, self._yaml.AliasEvent):
            found = f"the alias `*{one_line(str(anchor))}`"
        elif anchor:
            found = f"the anchor `&{one_line(str(anchor))}`"
        elif tag:
            found = f"the tag `{one_line(str(tag))}`"
        if found:
            raise self.refused(f"found {found}, expected a plain value. Write it out.", event.start_mark)


class _TooLongError(Exception):
    """More characters were read than one value may have."""


class _OddBreakError(Exception):
    """A line break of YAML 1.1 that editors and other formats take for ordinary text."""

    def __init__(self, character: str, line: int) -> None:
        super().__init__(character)
        self.character = character
        self.line = line


class _Metered:
    """A stream that ends a value which never does, and holds no line breaks that nobody sees."""

    def __init__(self, stream: TextIO) -> None:
        self.n_characters = 0
        self._line = 1
        self._stream = stream

    def read(self, size: int = -1, /) -> str:
        """Read on."""
        piece = self._stream.read(size)
        self.n_characters += len(piece)
        if self.n_characters > MAX_VALUE_CHARACTERS:
            raise _TooLongError
        odd = _ODD_BREAKS.search(piece)
        if odd:
            raise _OddBreakError(odd.group(), self._line + piece.count("\n", 0, odd.start()))
        self._line += piece.count("\n")
        return piece
