"""The lines of a file that may hold anything, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

# Far above the longest example that a host takes.
MAX_LINE_BYTES = 16 << 20


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file; what a line has beyond MAX_LINE_BYTES is left out. Raises OSError."""
    with path.open("rb") as stream:
        while line := stream.readline(MAX_LINE_BYTES):
            yield line
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
