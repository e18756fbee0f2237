"""What earlier builds made of pieces of sources, so that a changed record makes only its own piece anew."""

import os
import tempfile
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from runner.dataset.batch import Batch, InMemory, read_batch, write_batch
from runner.dataset.jobs import Job
from runner.sources.pieces import Piece

# Sources below this are built in the time that keeping their pieces takes.
KEPT_FROM_BYTES = 8 << 20
_CHECKSUM_BYTES = 4


class KeptPieces:
    """Batches in a folder, each under the hash of all that it was made from.

    `made_by` is the hash of what is equal for all pieces of a build: recipe, templates, limits, counter. An
    entry that was cut short or damaged is as good as none. Safe for several builds at once.
    """

    def __init__(self, folder: Path, made_by: str) -> None:
        self.folder = folder
        self._made_by = made_by

    def key(self, job: Job, piece: Piece) -> str:
        """The name of what comes of a piece."""
        from blake3 import blake3

        how = f"{self._made_by} {job.source} {piece.opens} {piece.inside} {piece.n_probes} {job.file}\0"
        digest = blake3(how.encode("utf-8", "surrogateescape"))
        digest.update(len(piece.proof).to_bytes(8))
        digest.update(piece.proof)
        digest.update(piece.content)
        return digest.hexdigest()

    def read(self, key: str) -> Batch | None:
        """The batch of a key; None where it is not kept, or not as it was written."""
        path = self._path(key)
        try:
            content = path.read_bytes()
            # What is used last is dropped last.
            os.utime(path)
        except OSError:
            return None
        if _checksum(memoryview(content)[_CHECKSUM_BYTES:]) != content[:_CHECKSUM_BYTES]:
            return None
        try:
            return read_batch(InMemory(content, _CHECKSUM_BYTES))
        except (EOFError, ValueError, TypeError):
            # Written in another form by another version.
            return None

    def write(self, key: str, batch: Batch) -> None:
        """Keep a batch; a disk that is full keeps none."""
        stream = BytesIO(bytes(_CHECKSUM_BYTES))
        stream.seek(_CHECKSUM_BYTES)
        write_batch(stream, batch)
        content = stream.getbuffer()
        content[:_CHECKSUM_BYTES] = _checksum(content[_CHECKSUM_BYTES:])
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                # Nobody waits for the disk: a power cut leaves a file whose checksum is wrong.
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key


def _checksum(content: memoryview) -> bytes:
    """Tells damage, not intent: who can write here can write anything, and the name is no hash of it."""
    return zlib.crc32(content).to_bytes(_CHECKSUM_BYTES)


def trim(folder: Path, max_bytes: int, *, dry_run: bool = False) -> tuple[int, int]:
    """Drop the pieces that were not used for longest, until the rest fits; how many, and their bytes."""
    files = []
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            files.append((status.st_mtime_ns, status.st_size, path))
    excess = sum(size for _, size, _ in files) - max_bytes
    n_dropped = n_bytes = 0
    for _, size, path in sorted(files):
        if n_bytes >= excess:
            break
        if not dry_run:
            path.unlink(missing_ok=True)
        n_dropped, n_bytes = n_dropped + 1, n_bytes + size
    return n_dropped, n_bytes
