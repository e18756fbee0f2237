"""Sends a file that is too large for one request in parts; after an interruption only the missing ones."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.canonical import append_durably, canonical_json
from runner.errors import ProviderError
from runner.execution.files import SoughtFile
from runner.providers.base import (
    ConnectionLostError,
    OutcomeUnknownError,
    Provider,
    RemoteFile,
    ServerFaultError,
)

# The most that OpenAI takes in a part: https://platform.openai.com/docs/api-reference/uploads (2026-11)
PART_BYTES = 64 << 20
AT_A_TIME = 4
_CHUNK_BYTES = 1 << 20


@dataclass(slots=True, kw_only=True)
class Begun:
    """An upload that was begun, and the parts of it that the provider has, by number."""

    upload: str
    parts: dict[int, str] = field(default_factory=dict)


class Ledger:
    """What became of the parts of uploads, on disk line by line. Without it everything is sent again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begun(self, key: str) -> Begun | None:
        """The last upload of a file, unless it was given up."""
        found: Begun | None = None
        for entry in self._entries():
            if entry.get("key") != key:
                continue
            if "upload" not in entry:
                found = None
            elif found is None or found.upload != entry["upload"]:
                found = Begun(upload=str(entry["upload"]))
            if found is not None and "part" in entry:
                found.parts[int(entry["part"])] = str(entry["id"])
        return found

    def begin(self, key: str, upload: str) -> Begun:
        """Record a new upload."""
        self._append({"key": key, "upload": upload})
        return Begun(upload=upload)

    def add(self, key: str, begun: Begun, part: int, part_id: str) -> None:
        """Record a part that the provider has."""
        begun.parts[part] = part_id
        self._append({"key": key, "upload": begun.upload, "part": part, "id": part_id})

    def give_up(self, key: str) -> None:
        """Record that an upload leads nowhere."""
        self._append({"key": key})

    def _append(self, entry: dict[str, Any]) -> None:
        append_durably(self.path, canonical_json(entry))

    def _entries(self) -> Iterator[dict[str, Any]]:
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                # Cut off by a power cut: that part is sent again.
                continue
            if isinstance(entry, dict):
                yield entry


def upload_in_parts(
    provider: Provider, path: Path, sought: SoughtFile, ledger: Ledger, say: Callable[[str], None]
) -> RemoteFile:
    """Send a file in parts of PART_BYTES, several at a time, and complete the upload.

    An upload that the provider does not know any more (OpenAI keeps one for an hour) is begun anew. Nothing
    is charged for parts, and only completing an upload makes a file. Raises ProviderError,
    OutcomeUnknownError where it is not known whether the upload was completed.
    """
    begun = ledger.begun(sought.key)
    if begun is not None:
        try:
            return _completed(provider, path, sought, ledger, begun)
        except (ConnectionLostError, ServerFaultError, OutcomeUnknownError):
            raise
        except ProviderError:
            say(f"{begun.upload} cannot be gone on with; uploading {sought.filename} anew")
            ledger.give_up(sought.key)
    upload = provider.start_upload(sought.filename, sought.file.size_bytes)
    return _completed(provider, path, sought, ledger, ledger.begin(sought.key, upload))


def _completed(
    provider: Provider, path: Path, sought: SoughtFile, ledger: Ledger, begun: Begun
) -> RemoteFile:
    n_parts = -(-sought.file.size_bytes // PART_BYTES)
    missing = [number for number in range(n_parts) if number not in begun.parts]

    def send(number: int) -> None:
        with path.open("rb") as stream:
            part = provider.send_part(begun.upload, Window(stream, number * PART_BYTES, PART_BYTES))
        # Here, so that no part waits for an earlier one to be recorded.
        ledger.add(sought.key, begun, number, part)

    # Threads are for files of many parts alone; importing them costs every plan.
    from concurrent.futures import ThreadPoolExecutor, as_completed

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        sending = [threads.submit(send, number) for number in missing]
        try:
            for sent in as_completed(sending):
                sent.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    ids = [begun.parts[number] for number in range(n_parts)]
    return provider.complete_upload(begun.upload, ids, md5=_md5(path))


class Window(io.RawIOBase):
    """A part of an open file that reads like a whole one, so that no part is in memory."""

    def __init__(self, stream: io.BufferedReader, start: int, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._start = start
        end = stream.seek(0, io.SEEK_END)
        self._size = max(0, min(size, end - start))
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: a request that is repeated begins anew."""
        return True

    def tell(self) -> int:
        """Where in the part."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Bytes from here on, none beyond the part."""
        left = max(0, self._size - self._at)
        self._stream.seek(self._start + self._at)
        content = self._stream.read(left if size is None or size < 0 else min(size, left))
        self._at += len(content)
        return content


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
