"""Open a source file as text, and say which bytes do not fit its encoding."""

import codecs
import io
from pathlib import Path
from typing import TextIO

from runner.canonical import CHUNK_BYTES
from runner.display import shown
from runner.errors import InvalidInputError
from runner.issues import Issue, Place

# Codecs of Python that are no character sets, or that differ between machines.
_NOT_CHARACTER_SETS = {
    "idna",
    "mbcs",
    "oem",
    "punycode",
    "raw-unicode-escape",
    "undefined",
    "unicode-escape",
    "utf-7",
}
# UTF-32 first: its mark begins with the one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# No character of these has a byte that looks like a line feed, a quote or a bracket.
_CUTTABLE = {"ascii", "cp1252", "cp949", "euc_kr", "iso8859-1", "utf-8"}
_OTHER_ENCODINGS = ("utf-8", "cp949")


def open_text(path: Path, encoding: str, file: str, *, newline: str) -> TextIO:
    """Open a file with its line ends untouched; `newline` says what ends a line, as for `io.TextIOWrapper`.

    Raises InvalidInputError for an unknown encoding and for the mark of another one, OSError as `open` does.
    """
    codec = _codec(encoding, file)
    stream = path.open("rb")
    try:
        _check_mark(stream.read(4), codec, encoding, file)
        stream.seek(0)
        return io.TextIOWrapper(stream, encoding=codec, errors="strict", newline=newline)
    except BaseException:
        stream.close()
        raise


def decoding_issue(path: Path, encoding: str, file: str) -> Issue:
    """Find the first bytes that are not text in this encoding, and the encoding they may be in."""
    fault = _first_fault(path, encoding)
    line, offset = fault or (1, 0)
    other = next(
        (name for name in _OTHER_ENCODINGS if _differs(name, encoding) and not _first_fault(path, name)), ""
    )
    advice = "Set `encoding` on this source, or save the file as UTF-8."
    if other == "utf-8":
        advice = "It reads as UTF-8: remove `encoding` from this source."
    elif other:
        advice = f"It reads as {other}: set `encoding: {other}` on this source."
    message = (
        f"found bytes that are not {encoding} text (byte {offset} of the file), expected {encoding}. {advice}"
    )
    return Issue(place=Place(file=file, line=line), message=message)


def is_cuttable(encoding: str) -> bool:
    """Whether text in this encoding can be cut at bytes that look like ASCII."""
    try:
        return codecs.lookup(encoding).name in _CUTTABLE
    except LookupError:
        return False


def has_other_mark(start: bytes) -> bool:
    """Whether a file begins with the byte order mark of UTF-16 or UTF-32."""
    return any(start.startswith(mark) for mark in _MARKS)


def in_utf_8(content: bytes, encoding: str, *, opens: bool) -> bytes:
    """The same text in UTF-8 without a byte order mark; `opens` says that a file may begin there.

    Raises UnicodeError, but leaves what is said to be UTF-8 unchecked.
    """
    if codecs.lookup(encoding).name == "utf-8":
        return content.removeprefix(codecs.BOM_UTF8) if opens else content
    return content.decode(encoding).encode("utf-8")


def _codec(encoding: str, file: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        io.TextIOWrapper(io.BytesIO(), encoding=encoding).close()
    except (LookupError, ValueError):
        name = ""
    if not name or name.replace("_", "-") in _NOT_CHARACTER_SETS:
        message = (
            f"`encoding`: found {shown(encoding)}, expected a name such as utf-8, cp949 or euc-kr. Change it."
        )
        raise InvalidInputError([Issue(place=Place(file=file), message=message)])
    return "utf-8-sig" if name == "utf-8" else name


def _check_mark(start: bytes, codec: str, encoding: str, file: str) -> None:
    found = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if found and not codec.startswith(found):
        message = (
            f"found the byte order mark of {found.upper()}, expected {encoding} text. "
            f"Set `encoding: {found}` on this source."
        )
        raise InvalidInputError([Issue(place=Place(file=file), message=message)])


def _differs(name: str, encoding: str) -> bool:
    return codecs.lookup(name).name != codecs.lookup(encoding).name


def _first_fault(path: Path, encoding: str) -> tuple[int, int] | None:
    """Line and byte offset of the first bytes that cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, read = 1, 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace")
                return line + before.count("\n"), read - pending + error.start
            except UnicodeError:
                return line, read
            read += len(chunk)
            if not chunk:
                return None
