"""Pieces of earlier builds: used where nothing changed, never trusted, dropped by their last use."""

import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.dataset.build import build_dataset
from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import Effort
from runner.dataset.inputs import find_inputs
from runner.dataset.jobs import make_jobs
from runner.dataset.kept_pieces import KeptPieces, trim
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Dataset
from runner.dataset.workers import Workers
from runner.examples.wire import Bounds, Request
from runner.recipe.load import LoadedRecipe, load_recipe
from tests.small_project import write_project

LIMITS = DatasetLimits(min_examples=3, max_example_tokens=60)
N, N_PIECES = 2_000, 18


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of the pieces that a process was asked for."""
    numbers: list[int] = []
    ask = Workers._ask

    def counted(self: Workers, job: Any, piece: Any) -> Any:
        numbers.append(job.number)
        return ask(self, job, piece)

    monkeypatch.setattr(Workers, "_ask", counted)
    yield numbers


@pytest.fixture
def loaded(project: Path) -> LoadedRecipe:
    recipe = write_project(project)
    (project / "faq.jsonl").write_text("".join(map(line, range(N))), encoding="utf-8")
    return load_recipe(recipe)


def line(number: int, answer: str = "대답") -> str:
    return f'{{"id": {number}, "question": "질문 {number}?", "answer": "{answer} {number % 90} 입니다."}}\n'


def build(loaded: LoadedRecipe, *, made_by: str = "a", keeps: bool = True) -> Dataset:
    folder = loaded.project.root / ".finetune"
    kept = KeptPieces(folder / "pieces", made_by) if keeps else None
    effort = Effort(n_workers=2, piece_bytes=8_000, kept=kept)
    yardstick = (LIMITS, EstimatedTokens())
    dataset = build_dataset(loaded, find_inputs(loaded), folder / "datasets", yardstick, effort)
    return replace(dataset, folder=Path())


def test_kept_pieces_give_the_same_dataset(loaded: LoadedRecipe, asked: list[int]) -> None:
    plain = build(loaded, keeps=False)
    n_pieces = len(asked)
    cold, warm = build(loaded), build(loaded)

    assert plain == cold == warm
    assert N_PIECES == n_pieces == len(set(asked))
    assert 2 * n_pieces == len(asked)


def test_a_changed_record_makes_its_piece_alone(loaded: LoadedRecipe, asked: list[int]) -> None:
    build(loaded)
    asked.clear()
    source = loaded.folder / "faq.jsonl"
    source.write_text(source.read_text().replace(line(200), line(200, "다른 대답")))
    changed = build(loaded)
    n_asked = len(asked)

    # The cut after a longer record may move, and falls in with the old ones soon.
    assert 1 <= n_asked <= N_PIECES / 3
    assert changed == build(loaded, keeps=False)


def test_a_record_before_all_others_moves_no_cut(loaded: LoadedRecipe, asked: list[int]) -> None:
    build(loaded)
    asked.clear()
    source = loaded.folder / "faq.jsonl"
    source.write_text(line(9_999) + source.read_text())
    changed = build(loaded)
    n_asked = len(asked)

    assert 1 <= n_asked <= N_PIECES / 3
    assert changed == build(loaded, keeps=False)


def test_where_all_pieces_are_kept_no_process_is_started(
    loaded: LoadedRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = build(loaded)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("runner.dataset.workers.start_confined", refuse)
    assert wanted == build(loaded)


def test_pieces_of_another_recipe_are_not_taken(loaded: LoadedRecipe, asked: list[int]) -> None:
    build(loaded)
    n_pieces = len(asked)
    build(loaded, made_by="b")

    assert 2 * n_pieces == len(asked)


@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_a_damaged_piece_is_made_again(loaded: LoadedRecipe, asked: list[int], damage: bytes | None) -> None:
    """Cut off, changed, or of another length: no byte of it gets into a dataset."""
    wanted = build(loaded)
    asked.clear()
    path = min((loaded.project.root / ".finetune" / "pieces").glob("*/*"))
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?" if damage is None else damage)

    assert wanted == build(loaded)
    assert 1 == len(asked)
    assert content == path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[1]\n", b"?\n"])
def test_a_piece_in_another_form_is_none(tmp_path: Path, content: bytes) -> None:
    """As another version may have written it; its checksum is right."""
    kept, key = KeptPieces(tmp_path, "a"), "ab" * 32
    path = tmp_path / "ab" / key
    path.parent.mkdir()
    path.write_bytes(zlib.crc32(content).to_bytes(4) + content)

    assert kept.read(key) is None


def test_a_disk_that_is_full_keeps_nothing(loaded: LoadedRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.dataset.kept_pieces.tempfile.mkstemp", full)
    kept = KeptPieces(loaded.project.root / "pieces", "a")
    (job, batch), *_ = batches(loaded)
    kept.write("ab" * 32, batch)

    assert kept.read("ab" * 32) is None


def batches(loaded: LoadedRecipe) -> list[Any]:
    request = Request(recipe=loaded.recipe, folder=loaded.folder, project=loaded.project, bounds=Bounds())
    with Workers(request, EstimatedTokens(), LIMITS, 1) as workers:
        return list(workers.batches(make_jobs(request, 1 << 20)))


def test_the_pieces_unused_for_longest_are_dropped(tmp_path: Path) -> None:
    for number, name in enumerate(("aa1", "bb2", "cc3")):
        path = tmp_path / name[:2] / name
        path.parent.mkdir()
        path.write_bytes(b"x" * 100)
        os.utime(path, (1_000 - number, 1_000 - number))

    assert (2, 200) == trim(tmp_path, 150, dry_run=True)
    assert (0, 0) == trim(tmp_path, 300)
    assert (2, 200) == trim(tmp_path, 150)
    assert ["aa1"] == [path.name for path in tmp_path.glob("*/*")]
    assert (0, 0) == trim(tmp_path / "none", 0)
