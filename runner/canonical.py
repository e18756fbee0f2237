"""Bytes and hashes that are the same on every machine, and files that are written whole or not at all."""

import errno
import hashlib
import json
import os
import struct
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20
_FIRST_NUMBER = struct.Struct(">Q24x").unpack


def canonical_json(value: Any) -> bytes:
    """Encode JSON data with sorted keys, no spaces and unescaped UTF-8; 2.0 and 2 are the same number.

    Raises ValueError for NaN and infinities, which JSON does not have.
    """
    text = json.dumps(
        _plain_numbers(value),
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return text.encode("utf-8")


def sha256_of(value: Any) -> str:
    """Hash JSON data by its canonical form; hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_bytes(content: bytes) -> str:
    """Hash bytes; hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def first_number(digest: bytes) -> int:
    """The first 64 bits of a sha256 as a number."""
    number: int = _FIRST_NUMBER(digest)[0]
    return number


def sha256_file(path: Path) -> str:
    """Hash a file's content in chunks; hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file in one step, on disk before the name changes. Raises OSError and leaves the old file."""
    # Imported by what writes: most commands find everything written.
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def append_durably(path: Path, line: bytes) -> None:
    """Append a line to a file of lines, on disk before this returns; a line cut off before it stays alone."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    # A newline first: the line before may have been cut off by a crash.
    content = b"\n" + line + b"\n"
    try:
        if os.write(handle, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename or a new file in a directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_numbers(item) for item in value]
    return value
