"""Takes bytes into the service's folder, checked on the way."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from runner.canonical import sha256_of, sync_directory
from runner.local.identifiers import id_for
from runner.local.rows import FileRow
from runner.local.service.context import Service
from runner.local.service.refusals import ApiError, invalid, key_reused

# What a client may upload. At most 512 MB go through /files, 8 GB in parts, 200 MB for a batch:
# https://github.com/openai/openai-openapi (2026-08-21)
PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024
MAX_BATCH_BYTES = 200 * 1024 * 1024
# Batch files live for 30 days unless the client says otherwise.
BATCH_LIFETIME_S = 30 * 24 * 3600
JSONL_PURPOSES = ("batch", "fine-tune")
# Far above the longest example that any model takes; it bounds the memory that one upload needs.
MAX_LINE_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes on disk that are not yet a file of the service."""

    path: Path
    size_bytes: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """What a client says about a file; `key` makes a repeated request give the same file."""

    filename: str
    purpose: str
    expires_after_s: int | None = None
    key: str | None = None


def receive(streams: Iterable[BinaryIO], folder: Path, purpose: str, max_bytes: int) -> Received:
    """Copy streams one after another into one file under `folder`, with memory for one line at most.

    Lines are checked where the purpose is a JSONL one. Raises ApiError, and leaves nothing then.
    """
    if purpose == "batch":
        max_bytes = min(max_bytes, MAX_BATCH_BYTES)
    sha256, md5, size_bytes = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    pieces = _checked_lines(streams) if purpose in JSONL_PURPOSES else _chunks(streams)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as copy:
        try:
            for piece in pieces:
                copy.write(piece)
                sha256.update(piece)
                md5.update(piece)
                size_bytes += len(piece)
                if size_bytes > max_bytes:
                    raise ApiError(
                        413,
                        f"The file is larger than {max_bytes} bytes.",
                        param="file",
                        code="file_too_large",
                    )
            if size_bytes == 0:
                raise invalid("File is empty.", "file")
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    return Received(
        path=Path(copy.name), size_bytes=size_bytes, sha256=sha256.hexdigest(), md5=md5.hexdigest()
    )


def keep(service: Service, received: Received, new: NewFile) -> FileRow:
    """Make received bytes a file, or give the one that its key made before. Raises ApiError."""
    request_sha256 = _request_sha256(new, received)
    file_id = id_for("file", new.key)
    known = service.store.find(FileRow, file_id)
    if known is not None:
        if known.request_sha256 != request_sha256:
            raise key_reused("file")
        return known
    lifetime_s = new.expires_after_s
    if lifetime_s is None and new.purpose == "batch":
        lifetime_s = BATCH_LIFETIME_S
    row = FileRow(
        id=file_id,
        filename=new.filename,
        purpose=new.purpose,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
        created_at=service.now,
        expires_at=None if lifetime_s is None else service.now + lifetime_s,
        request_sha256=request_sha256,
    )
    # In place before it is known: bytes without a row do no harm, a row without its bytes would.
    received.path.replace(service.layout.file(file_id))
    sync_directory(service.layout.files)
    service.store.add(row)
    return row


def _request_sha256(new: NewFile, received: Received) -> str:
    request = [new.filename, new.purpose, received.sha256]
    return sha256_of(request if new.expires_after_s is None else [*request, new.expires_after_s])


def _chunks(streams: Iterable[BinaryIO]) -> Iterator[bytes]:
    for stream in streams:
        yield from iter(partial(stream.read, CHUNK_BYTES), b"")


def _checked_lines(streams: Iterable[BinaryIO]) -> Iterator[bytes]:
    for number, line in enumerate(_lines(streams), start=1):
        _check_line(number, line)
        yield line


def _lines(streams: Iterable[BinaryIO]) -> Iterator[bytes]:
    """Read whole lines; one may begin in one stream and end in a later one."""
    rest = b""
    for stream in streams:
        while piece := stream.readline(MAX_LINE_BYTES + 1 - len(rest)):
            rest += piece
            if rest.endswith(b"\n") or len(rest) > MAX_LINE_BYTES:
                yield rest
                rest = b""
    if rest:
        yield rest


def _check_line(number: int, line: bytes) -> None:
    if not line.strip():
        return
    if len(line) > MAX_LINE_BYTES:
        raise invalid(f"Line {number} is longer than {MAX_LINE_BYTES} bytes.", "file")
    try:
        is_dictionary = isinstance(json.loads(line.decode("utf-8")), dict)
    except (ValueError, RecursionError):
        is_dictionary = False
    if not is_dictionary:
        start = line[:20].decode("utf-8", "replace").strip()
        raise invalid(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {number} is not a dictionary (HINT: line starts with: "{start}...").',
            "file",
        )
