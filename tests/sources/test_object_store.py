"""Object stores: through fsspec, held to the hash like every download."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import InvalidInputError
from runner.sources.object_store import download_object

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed (extra `remote`)")

CONTENT = b'{"a": 1}\n'
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store() -> Iterator[None]:
    """A store in memory under the name s3."""
    from fsspec.implementations.memory import MemoryFileSystem

    class Store(MemoryFileSystem):  # type: ignore[misc]
        protocol = "s3"
        store: dict[str, object] = {}

    fsspec.register_implementation("s3", Store, clobber=True)
    with fsspec.filesystem("s3").open("s3://bucket/a.jsonl", "wb") as stream:
        stream.write(CONTENT)
    yield
    sys.modules["fsspec.registry"]._registry.pop("s3")


def problem(url: str, folder: Path, sha256: str = SHA256) -> str:
    with pytest.raises(InvalidInputError) as caught:
        download_object(url, sha256, folder / "a.jsonl")
    assert [] == list(folder.iterdir())
    return str(caught.value)


def test_an_object_is_kept(store: None, tmp_path: Path) -> None:
    download_object("s3://bucket/a.jsonl", SHA256, tmp_path / "a.jsonl")

    assert CONTENT == (tmp_path / "a.jsonl").read_bytes()


def test_another_object_is_not_kept(store: None, tmp_path: Path) -> None:
    assert f"found content with the sha256 {SHA256}, expected {'0' * 64}." in problem(
        "s3://bucket/a.jsonl", tmp_path, "0" * 64
    )
    assert "s3://bucket/b.jsonl: found no such object, expected one. Correct the address." == problem(
        "s3://bucket/b.jsonl", tmp_path
    )


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    assert (
        "gs://bucket/a.jsonl: found no package gcsfs, which reaches gs://. Install it: pip install gcsfs"
        == problem("gs://bucket/a.jsonl", tmp_path)
    )
