"""Open a source file as text, and say which bytes do not fit its encoding."""

import codecs
import io
from typing import TextIO

from runner.display import shown
from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.sources.encodings import (
    AUTO,
    GUESSES,
    START_BYTES,
    Opener,
    detect_encoding,
    first_fault,
    marked_encoding,
    unmarked_encoding,
)

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
# No character of these has a byte that looks like a line feed, a quote or a bracket.
_CUTTABLE = {"ascii", "cp1252", "cp949", "euc_kr", "iso8859-1", "utf-8"}


def open_text(open_bytes: Opener, encoding: str, file: str, *, newline: str) -> TextIO:
    """Open a file with its line ends untouched; `newline` says what ends a line, as for `io.TextIOWrapper`.

    The encoding `auto` stands for the one that the whole file fits. Raises InvalidInputError for an unknown
    encoding and for a start in another one, OSError as `open` does.
    """
    if encoding == AUTO:
        encoding = detect_encoding(open_bytes) or "utf-8"
    codec = _codec(encoding, file)
    with open_bytes() as stream:
        _check_start(stream.read(START_BYTES), codec, encoding, file)
    return io.TextIOWrapper(open_bytes(), encoding=codec, errors="strict", newline=newline)


def decoding_issue(open_bytes: Opener, encoding: str, file: str) -> Issue:
    """Find the first bytes that are not text in this encoding, and the encoding they may be in."""
    if encoding == AUTO:
        line, offset = first_fault(open_bytes, "utf-8") or (1, 0)
        message = (
            f"found bytes that are neither {' nor '.join(GUESSES)} text (as utf-8 they end at byte {offset} "
            "of the file), expected one of them. Set `encoding` on this source, or save the file as UTF-8."
        )
        return Issue(place=Place(file=file, line=line), message=message)
    line, offset = first_fault(open_bytes, encoding) or (1, 0)
    other = next(
        (name for name in GUESSES if _differs(name, encoding) and not first_fault(open_bytes, name)), ""
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


def is_wide(start: bytes) -> bool:
    """Whether the start of a file is UTF-16 or UTF-32."""
    return marked_encoding(start) not in (None, "utf-8") or unmarked_encoding(start) is not None


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


def _check_start(start: bytes, codec: str, encoding: str, file: str) -> None:
    marked, unmarked = marked_encoding(start), unmarked_encoding(start)
    what = ""
    if marked not in (None, "utf-8"):
        what = "" if codec.startswith(str(marked)) else f"the byte order mark of {str(marked).upper()}"
    elif unmarked not in (None, codec):
        what = f"{str(unmarked).upper()} without a byte order mark"
    if what:
        message = (
            f"found {what}, expected {encoding} text. Set `encoding: {marked or unmarked}` on this source."
        )
        raise InvalidInputError([Issue(place=Place(file=file), message=message)])


def _differs(name: str, encoding: str) -> bool:
    return codecs.lookup(name).name != codecs.lookup(encoding).name
