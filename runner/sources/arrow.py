"""Arrow IPC files and streams, and Feather, which is the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.issues import Issue
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.base import Record, unusable
from runner.sources.columnar import Allowed, explained, quiet_arrow, records_of_batches
from runner.sources.unpack import unpacked_limit

OPTIONS: frozenset[str] = frozenset()
PACKAGE = "pyarrow"

# https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format (2026-11)
_FILE_MAGIC = b"ARROW1"
_FEATHER_1_MAGIC = b"FEA1"


def read(path: Path, source: Source, file: str, grants: Grants) -> Iterator[Record | Issue]:
    """Yield one record per row of the file, in order; one record batch of it is in memory at a time."""
    quiet_arrow()
    with path.open("rb") as stream:
        start = stream.read(len(_FILE_MAGIC))
        stream.seek(0)
        if start.startswith(_FEATHER_1_MAGIC):
            message = "found Feather version 1, expected version 2, which is Arrow. Write the file again."
            raise unusable(file, message)
        with explained("Arrow", file):
            yield from _read(stream, start, file, Allowed(file, unpacked_limit(path.stat().st_size, grants)))


def _read(stream: Any, start: bytes, file: str, allowed: Allowed) -> Iterator[Record | Issue]:
    from pyarrow import ipc

    options = ipc.IpcReadOptions(use_threads=False)
    if start == _FILE_MAGIC:
        with ipc.open_file(stream, options=options) as opened:
            batches = (opened.get_batch(index) for index in range(opened.num_record_batches))
            yield from records_of_batches(batches, opened.schema, file, allowed)
    else:
        with ipc.open_stream(stream, options=options) as opened:
            yield from records_of_batches(iter(opened), opened.schema, file, allowed)
