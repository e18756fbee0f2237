"""Parquet files, a few rows at a time."""

from collections.abc import Iterator
from pathlib import Path

from runner.issues import Issue
from runner.project import Grants
from runner.recipe.model import Source
from runner.sources.base import WHOLE, Record, Share
from runner.sources.columnar import ROWS_PER_BATCH, Allowed, explained, quiet_arrow, records_of_batches
from runner.sources.unpack import unpacked_limit

OPTIONS: frozenset[str] = frozenset()
PACKAGE = "pyarrow"

_BUFFER_BYTES = 1 << 18


def read(path: Path, source: Source, file: str, grants: Grants) -> Iterator[Record | Issue]:
    """Yield one record per row of the file, in order."""
    return read_share(path, source, file, grants, WHOLE)


def read_share(
    path: Path, source: Source, file: str, grants: Grants, share: Share
) -> Iterator[Record | Issue]:
    """As `read`, the rows of a share alone; the others are decoded, but not made records of."""
    quiet_arrow()
    from pyarrow.parquet import ParquetFile

    # No memory map: its size would count against the bound on memory.
    with (
        explained("Parquet", file),
        ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=_BUFFER_BYTES) as opened,
    ):
        size_bytes = path.stat().st_size
        allowed = Allowed(file, unpacked_limit(size_bytes, grants))
        allowed.refuse_rows(opened.metadata.num_rows, size_bytes)
        batches = opened.iter_batches(batch_size=ROWS_PER_BATCH, use_threads=False)
        yield from records_of_batches(batches, opened.schema_arrow, file, allowed, share)
