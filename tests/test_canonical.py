"""Bytes and hashes that are the same everywhere, and files written whole."""

from pathlib import Path

import pytest

from runner.canonical import canonical_json, sha256_bytes, sha256_file, sha256_of, write_atomically


def test_order_and_number_spelling_do_not_matter() -> None:
    assert canonical_json({"b": [1.0, 2.5], "a": "한글\u2028"}) == canonical_json(
        {"a": "한글\u2028", "b": (1, 2.5)}
    )
    assert b'{"a":"\xed\x95\x9c","b":[1,2.5]}' == canonical_json({"b": [1.0, 2.5], "a": "한"})


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_known_hash() -> None:
    assert sha256_of({}) == sha256_bytes(b"{}")
    assert "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" == sha256_of({})


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_atomically(path, b"one")
    write_atomically(path, b"two", mode=0o600)

    assert sha256_bytes(b"two") == sha256_file(path)
    assert (0o600, ["file.txt"]) == (
        path.stat().st_mode & 0o777,
        [item.name for item in path.parent.iterdir()],
    )


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.canonical.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")

    assert (b"old", ["file.txt"]) == (path.read_bytes(), [item.name for item in tmp_path.iterdir()])
