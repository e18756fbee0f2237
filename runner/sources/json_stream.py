"""Walk through a JSON text piece by piece, so that a large file needs little memory."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.sources.strict_json import TOO_DEEP, StrictDecoder, found_at, syntax_sentence

CHUNK_CHARACTERS = 1 << 16
MAX_VALUE_CHARACTERS = 1 << 24
_NUMBER = re.compile(r"[-+.0-9eE]*")
_SPACE = re.compile(r"[ \t\n\r]*")


class JsonStream:
    """A position in a JSON text; `row` is the record that is being read, where one is."""

    def __init__(
        self,
        stream: TextIO,
        file: str,
        *,
        chunk_characters: int = CHUNK_CHARACTERS,
        max_characters: int = MAX_VALUE_CHARACTERS,
    ) -> None:
        self.file = file
        self.row: int | None = None
        self._stream = stream
        self._chunk_characters = chunk_characters
        self._max_characters = max_characters
        self._decoder = StrictDecoder()
        self._buffer = ""
        self._at = 0
        # Line and column of the first character in the buffer.
        self._line = 1
        self._column = 1

    @property
    def problems(self) -> list[str]:
        """What strict JSON refuses in the value read last."""
        return self._decoder.problems

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def value(self) -> Any:
        """Read the next value whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                # The value may only be cut off where the buffer ends.
                if self._fill():
                    continue
                raise self.broken(syntax_sentence(error, self._buffer), error.pos) from None
            except RecursionError:
                raise self._refused(TOO_DEEP) from None
            if self._may_go_on(end) and self._fill():
                continue
            self._at = end
            return value

    def skip(self) -> None:
        """Pass over the next value, of a list or object one item at a time."""
        opening = self.peek()
        if opening == "[":
            for _ in self.elements():
                self._skip_whole()
        elif opening == "{":
            for _ in self.entries():
                self._skip_whole()
        else:
            self._skip_whole()

    def elements(self) -> Iterator[None]:
        """Stop before each element of a list; the caller reads the element."""
        self.take("[", "a list")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self.peek() == "]":
                self._at += 1
                return
            self.take(",", "a comma or the closing bracket")

    def entries(self) -> Iterator[str]:
        """Stop before each value of an object and yield its key; the caller reads the value."""
        self.take("{", "an object")
        seen: set[str] = set()
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self._key(seen)
            self.take(":", "a colon")
            yield key
            if self.peek() == "}":
                self._at += 1
                return
            self.take(",", "a comma or the closing bracket")

    def take(self, character: str, expected: str) -> None:
        """Step over a character that has to come next."""
        if self.peek() != character:
            found = found_at(self._buffer, self._at)
            raise self.broken(f"found {found}, expected {expected}. Repair the JSON.", self._at)
        self._at += 1

    def broken(self, message: str, position: int | None = None) -> InvalidInputError:
        """An error at a place in the text, by default the present one."""
        line, column = self._position(self._at if position is None else position)
        place = Place(file=self.file, line=line, column=column)
        return InvalidInputError([Issue(place=place, message=message)])

    def _key(self, seen: set[str]) -> str:
        if self.peek() != '"':
            found = found_at(self._buffer, self._at)
            raise self.broken(f"found {found}, expected a key in double quotes. Repair the JSON.")
        start = self._at
        key: str = self.value()
        if key in seen:
            self.problems.append(
                f"found the key '{key}' twice in one object, expected each key once. Remove one."
            )
        self._check_problems(None if self._at < start else start)
        seen.add(key)
        return key

    def _skip_whole(self) -> None:
        self.value()
        self._check_problems(None)

    def _check_problems(self, position: int | None) -> None:
        if self.problems:
            raise self.broken(self.problems[0], position)

    def _refused(self, message: str) -> InvalidInputError:
        if self.row is None:
            return self.broken(message)
        return InvalidInputError([Issue(place=Place(file=self.file, row=self.row), message=message)])

    def _may_go_on(self, end: int) -> bool:
        """Whether a number that ends there may only be cut off, as `1.` or `1e` are."""
        rest = _NUMBER.match(self._buffer, end)
        return rest is not None and rest.end() == len(self._buffer)

    def _fill(self) -> bool:
        """Read on; what is wanted of the buffer grows twofold, so that long values are not read often."""
        rest = self._buffer[self._at :]
        if len(rest) > self._max_characters:
            raise self._refused(
                f"found a value of more than {self._max_characters} characters, expected a record of text. "
                "Split it."
            )
        piece = self._stream.read(max(self._chunk_characters, len(rest)))
        if not piece:
            return False
        self._line, self._column = self._position(self._at)
        self._buffer = rest + piece
        self._at = 0
        return True

    def _position(self, at: int) -> tuple[int, int]:
        lines = self._buffer.count("\n", 0, at)
        if not lines:
            return self._line, self._column + at
        return self._line + lines, at - self._buffer.rfind("\n", 0, at)
