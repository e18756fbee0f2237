"""A file is read again only when it may have changed."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from runner.canonical import sha256_bytes
from runner.dataset.hashed_files import HashedFiles

OLD = 1_700_000_000_000_000_000


class Reads:
    """Counts how often a file's content is hashed."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, path: Path) -> str:
        self.n += 1
        return sha256_bytes(path.read_bytes())


@pytest.fixture
def reads() -> Any:
    counter = Reads()
    with patch("runner.dataset.hashed_files.sha256_file", counter):
        yield counter


def settled(path: Path, content: bytes) -> Path:
    """Write a file that was last touched long ago, as far as the process can tell."""
    path.write_bytes(content)
    os.utime(path, ns=(OLD, OLD))
    return path


def test_a_settled_file_is_read_once(tmp_path: Path, reads: Reads) -> None:
    path, table = settled(tmp_path / "a", b"one"), tmp_path / "cache" / "files.json"
    with patch("runner.dataset.hashed_files.time.time_ns", return_value=path.stat().st_ctime_ns + 3 * 10**9):
        first = HashedFiles(table)
        found = [first.sha256_of(path, "a"), first.sha256_of(path, "a")]
        first.save()
        found.append(HashedFiles(table).sha256_of(path, "a"))

    assert [(sha256_bytes(b"one"), 3)] * 3 == found
    assert 1 == reads.n


def test_a_file_touched_a_moment_ago_is_read_again(tmp_path: Path, reads: Reads) -> None:
    """Within one tick of the clock its next change would look like this one."""
    path, hashed = tmp_path / "a", HashedFiles()
    path.write_bytes(b"one")

    found = [hashed.sha256_of(path, "a"), hashed.sha256_of(path, "a")]

    assert [(sha256_bytes(b"one"), 3)] * 2 == found
    assert 2 == reads.n


def test_a_change_that_keeps_size_and_time_is_noticed(tmp_path: Path, reads: Reads) -> None:
    """The time of the last change of anything cannot be set."""
    path, hashed = settled(tmp_path / "a", b"one"), HashedFiles()
    with patch("runner.dataset.hashed_files.time.time_ns", return_value=path.stat().st_ctime_ns + 3 * 10**9):
        hashed.sha256_of(path, "a")
        settled(path, b"two")

        assert (sha256_bytes(b"two"), 3) == hashed.sha256_of(path, "a")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_table_is_no_table(tmp_path: Path, content: bytes) -> None:
    path, table = settled(tmp_path / "a", b"one"), tmp_path / "files.json"
    table.write_bytes(content)

    assert (sha256_bytes(b"one"), 3) == HashedFiles(table).sha256_of(path, "a")


def test_what_is_not_trusted_is_read_and_noted(tmp_path: Path, reads: Reads) -> None:
    path, table = settled(tmp_path / "a", b"one"), tmp_path / "files.json"
    for trusted in (False, False, True):
        with patch(
            "runner.dataset.hashed_files.time.time_ns", return_value=path.stat().st_ctime_ns + 3 * 10**9
        ):
            hashed = HashedFiles(table, trusted=trusted)
            hashed.sha256_of(path, "a")
            hashed.save()

    assert 2 == reads.n


def test_a_file_of_another_size_is_another(tmp_path: Path) -> None:
    """Also where it was touched so shortly before that its hash is not taken again."""
    path, table = tmp_path / "a", tmp_path / "files.json"
    path.write_bytes(b"one")
    hashed = HashedFiles(table)
    before = hashed.is_other("a", 3)
    hashed.sha256_of(path, "a")
    hashed.save()

    assert [True, False, True] == [
        before,
        HashedFiles(table).is_other("a", 3),
        HashedFiles(table).is_other("a", 4),
    ]


def test_a_table_of_another_form_is_none(tmp_path: Path) -> None:
    table = tmp_path / "files.json"
    table.write_text('{"a": ["00", 3, 1, 1, 1]}')

    assert HashedFiles(table).is_other("a", 3)
