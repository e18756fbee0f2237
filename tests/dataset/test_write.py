"""Files named by their hash are whole, or not there."""

import hashlib
from pathlib import Path

import pytest

from runner.dataset.write import HashedFile


def test_long_content_is_written_in_order(tmp_path: Path) -> None:
    """More than waits at once, in parts of all sizes."""
    parts = [bytes([number % 251]) * size for number, size in enumerate((3 << 20, 1, 0, 700_000) * 5)]
    whole = b"".join(parts)
    with HashedFile(tmp_path) as file:
        for part in parts:
            file.write(part)
        name = file.keep(".jsonl")

    assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (name, file.size_bytes)
    assert [(f"{name}.jsonl", whole)] == [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]


def test_what_is_not_kept_is_gone(tmp_path: Path) -> None:
    with HashedFile(tmp_path) as file:
        file.write(b"x" * (2 << 20))

    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_is_told_by_a_later_step(tmp_path: Path) -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            """Nothing is open."""

    with HashedFile(tmp_path) as file:
        file.stream.close()
        file.stream = Full()  # type: ignore[assignment]
        file.write(b"x" * (2 << 20))
        with pytest.raises(OSError, match="No space left"):
            file.keep(".jsonl")

    assert [] == list(tmp_path.iterdir())
