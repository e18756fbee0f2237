"""Cut a source file into pieces that can be read apart from each other, each like a small file of its own.

Cuts are guesses that reading proves. A piece that begins where a record does and reads without a problem also
ends where one does, so by induction from the first piece all of them are right as soon as all were read; what
stands before the first record is proved by its `proof`. Anything else means reading the file in one go.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from runner.recipe.model import Source

PIECE_BYTES = 1 << 20
# A piece that finds no end grows up to this size.
MAX_PIECE_BYTES = 1 << 23
# A piece of as many bytes without a record is left to the reader of whole files, who looks for its end.
MANY_BYTES = 1 << 17
# Where in a buffer a piece may end, in shares of its size.
_EARLIEST, _LATEST = 7 / 8, 9 / 8
_MARKED_BYTES = 64

PROBE = {"probe": True}
_PROBE_TEXT = b'{"probe":true}'

_LINE_END = re.compile(rb"\n")
_NO_LINES = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*")
_FIRST_KEY = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.)*")\s*:')

# The end of a piece and the start of the next one.
Cut = tuple[int, int]
FindCuts = Callable[[bytearray, int, int], Iterable[Cut]]


class UncuttableError(ValueError):
    """The file has to be read in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Part of a file that reads like a whole one; `opens` says that it begins as the file does.

    `inside` says that its records lie where they do in the file, not in a list at the top. `proof` reads as
    PROBE, `n_probes` times, if what stands before the records is what it was taken for.
    """

    content: bytes
    opens: bool
    inside: bool = True
    proof: bytes = b""
    n_probes: int = 0


def cut_lines(stream: BufferedIOBase, _: Source, size_bytes: int) -> Iterator[Piece]:
    """Cut a file of lines at line feeds."""
    for number, content in enumerate(_cut(stream, b"", size_bytes, _line_ends)):
        yield Piece(content=content, opens=number == 0)


def cut_delimited(stream: BufferedIOBase, _: Source, size_bytes: int) -> Iterator[Piece]:
    """Cut a file of cells at line feeds outside quotes; every piece repeats the header."""
    start = stream.read(size_bytes * 2)
    end = _header_end(start)
    header, proof = start[:end], start[:end]
    for content in _cut(stream, start[end:], size_bytes, _row_ends):
        yield Piece(content=header + content, opens=True, proof=proof)
        proof = b""


def cut_array(stream: BufferedIOBase, source: Source, size_bytes: int) -> Iterator[Piece]:
    """Cut a list of JSON objects before those that begin with the same key as the first one."""
    start = stream.read(size_bytes * 2)
    if len(start) < size_bytes * 2:
        yield Piece(content=start, opens=True)
        return
    path = source.records.split(".") if source.records is not None else []
    head = start[: _list_start(start, path)]
    proof = head + _PROBE_TEXT + b"]" + b"}" * len(path)
    pieces = _cut(stream, start[len(head) :], size_bytes, _element_ends(start, len(head)))
    content = next(pieces)
    for following in pieces:
        yield Piece(content=b"[" + content + b"]", opens=False, inside=False, proof=proof, n_probes=1)
        content, proof = following, b""
    yield Piece(content=head + content, opens=True)


def _cut(stream: BufferedIOBase, first: bytes, size_bytes: int, find: FindCuts) -> Iterator[bytes]:
    """Cut where the content itself says, of several places, so that cuts survive an insertion."""
    wanted = size_bytes
    # One buffer for all pieces: what is left of it moves to its front.
    buffer, n_held = bytearray(first), len(first)
    while True:
        latest = int(wanted * _LATEST)
        n_held += _fill(buffer, n_held, latest, stream)
        if n_held < latest:
            if n_held:
                yield bytes(memoryview(buffer)[:n_held])
            return
        cuts = find(buffer, int(size_bytes * _EARLIEST), latest - _MARKED_BYTES)
        marks = [(zlib.crc32(buffer[start : start + _MARKED_BYTES]), end, start) for end, start in cuts]
        if marks:
            _, end, start = min(marks)
            yield bytes(memoryview(buffer)[:end])
            buffer[: n_held - start] = buffer[start:n_held]
            n_held, wanted = n_held - start, size_bytes
        elif wanted < MAX_PIECE_BYTES:
            wanted *= 2
        else:
            raise UncuttableError


def _fill(buffer: bytearray, start: int, end: int, stream: BufferedIOBase) -> int:
    """Read from one place in a buffer to another, or to the end of the stream; how many bytes there were."""
    buffer.extend(bytes(max(0, end - len(buffer))))
    at = start
    with memoryview(buffer) as view:
        while n_read := stream.readinto(view[at:end]):
            at += n_read
    return at - start


def _line_ends(buffer: bytearray, earliest: int, latest: int) -> Iterable[Cut]:
    ends = [match.end() for match in _LINE_END.finditer(buffer, earliest, latest)]
    return zip(ends, ends, strict=True)


def _row_ends(buffer: bytearray, earliest: int, latest: int) -> Iterator[Cut]:
    quotes, at = buffer.count(b'"', 0, earliest), earliest
    for end, start in _line_ends(buffer, earliest, latest):
        quotes, at = quotes + buffer.count(b'"', at, end), end
        if quotes % 2 == 0:
            yield end, start


def _element_ends(start: bytes, at: int) -> FindCuts:
    first = _FIRST_KEY.match(start, at)
    if first is None:
        raise UncuttableError
    expression = re.compile(rb"\}\s*,\s*(?=\{\s*" + re.escape(first[1]) + rb"\s*:)")

    def find(buffer: bytearray, earliest: int, latest: int) -> Iterator[Cut]:
        for match in expression.finditer(buffer, earliest, latest):
            yield match.start() + 1, match.end()

    return find


def _header_end(start: bytes) -> int:
    """Past the first line that is not empty and closes its quotes."""
    at = _NO_LINES.match(start).end()  # type: ignore[union-attr]
    quotes = 0
    for match in _LINE_END.finditer(start, at):
        quotes, at = quotes + start.count(b'"', at, match.end()), match.end()
        if quotes % 2 == 0:
            return at
    if len(start) < MAX_PIECE_BYTES and b"\n" not in start:
        return len(start)
    raise UncuttableError


def _list_start(start: bytes, path: list[str]) -> int:
    """Past the bracket that opens the list at a path."""
    opening = b"".join(rb'\{.*?"' + re.escape(key.encode()) + rb'"\s*:\s*' for key in path)
    match = re.compile(rb"(?:\xef\xbb\xbf)?\s*" + opening + rb"\[", re.DOTALL).match(start)
    if match is None:
        raise UncuttableError
    return match.end()
