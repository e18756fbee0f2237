"""Tell which encoding bytes are in."""

import codecs
import re
from collections.abc import Callable
from typing import BinaryIO

from runner.canonical import CHUNK_BYTES

AUTO = "auto"
# UTF-32 first: its mark begins with the one of UTF-16.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
# Tried in this order: text in another encoding is almost never valid UTF-8. CP949 contains EUC-KR.
GUESSES = ("utf-8", "cp949")
# As much of a file's start as tells its encoding.
START_BYTES = 1 << 12

Opener = Callable[[], BinaryIO]

_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# Even text without a space has line ends, and these a zero byte; in other encodings zeros are stray.
_ZEROS_SHARE = 0.02
# Wide text that is valid UTF-8 too is ASCII, and every second byte of that is zero; NULs in UTF-8 are fewer.
_ASCII_ZEROS_SHARE = 0.25
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def marked_encoding(start: bytes) -> str | None:
    """The encoding that a byte order mark at the start of a file names."""
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), None)


def unmarked_encoding(start: bytes) -> str | None:
    """The UTF-16 or UTF-32 that the start of a file without a mark reads as, by its zero bytes."""
    least = _ASCII_ZEROS_SHARE if _plain_bytes(start) else _ZEROS_SHARE
    if start.count(0) <= least * len(start):
        return None
    texts = {name: _plain_text(start, name) for name in _WIDE}
    # In the wrong order of bytes, ASCII is other characters.
    name = max(texts, key=lambda name: len(_NOT_ASCII.sub("", texts[name])))
    return name if _NOT_ASCII.sub("", texts[name]) else None


def detect_encoding(open_bytes: Opener) -> str | None:
    """The encoding of a file: by its start, else the first guess that fits every byte; None for none."""
    with open_bytes() as stream:
        start = stream.read(START_BYTES)
    told = marked_encoding(start) or unmarked_encoding(start)
    return told or next((name for name in GUESSES if first_fault(open_bytes, name) is None), None)


def first_fault(open_bytes: Opener, encoding: str) -> tuple[int, int] | None:
    """Line and byte offset, from 1 and 0, of the first bytes that cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, read = 1, 0
    with open_bytes() as stream:
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


def _plain_bytes(start: bytes) -> bool:
    """Whether they are UTF-8; the last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeError:
        return False
    return True


def _plain_text(start: bytes, encoding: str) -> str:
    """The text, empty where it is none in this encoding; the last character may be cut off."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError:
        return ""
    return "" if _CONTROL.search(text.replace("\r", "")) else text
