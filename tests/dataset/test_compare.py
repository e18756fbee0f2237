"""What changed between two datasets, counted by record identity."""

from pathlib import Path

import pytest

from runner.canonical import sha256_bytes
from runner.dataset.compare import changed_examples


def index(path: Path, rows: dict[str, tuple[str, str]]) -> Path:
    path.write_text("".join(f"{key} {digest} {side}\n" for key, (digest, side) in rows.items()))
    return path


def test_every_kind_of_change_is_counted(tmp_path: Path) -> None:
    old = {"a": ("1", "training"), "b": ("2", "training"), "c": ("3", "training"), "d": ("4", "training")}
    new = {"a": ("1", "training"), "b": ("9", "training"), "d": ("4", "validation"), "e": ("5", "training")}
    before, after = index(tmp_path / "old", old), index(tmp_path / "new", new)

    assert (
        "examples: 1 changed, 1 added, 1 removed, 1 moved to the other side of the split"
        == changed_examples(before, after)
    )


def test_one_change_is_singular(tmp_path: Path) -> None:
    before = index(tmp_path / "old", {"a": ("1", "training")})
    after = index(tmp_path / "new", {"a": ("2", "training")})

    assert "example: 1 changed" == changed_examples(before, after)


def test_another_order_is_said(tmp_path: Path) -> None:
    before = index(tmp_path / "old", {"a": ("1", "training"), "b": ("2", "training")})
    after = index(tmp_path / "new", {"b": ("2", "training"), "a": ("1", "training")})

    assert "the same examples in another order" == changed_examples(before, after)


def test_an_index_of_another_machine_is_absent(tmp_path: Path) -> None:
    assert changed_examples(tmp_path / "absent", index(tmp_path / "new", {})) is None


def test_large_indexes_are_compared_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.dataset.compare.PART_BYTES", 500)
    old = {sha256_bytes(b"%d" % number)[:32]: (f"{number}", "training") for number in range(200)}
    new = {key: (digest, "validation" if digest == "7" else "training") for key, (digest, _) in old.items()}
    new |= {key: ("x", side) for key, (digest, side) in new.items() if digest in ("1", "2", "3")}
    del new[sha256_bytes(b"5")[:32]]

    assert "examples: 3 changed, 1 removed, 1 moved to the other side of the split" == changed_examples(
        index(tmp_path / "old", old), index(tmp_path / "new", new)
    )
