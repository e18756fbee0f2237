"""Two states built in pieces, or record by record: the same review, and no piece made twice."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import Effort
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.workers import Trouble, Workers
from runner.providers.hosts import find_host
from runner.recipe.load import load_recipe
from runner.review.build import Task
from runner.review.render import render_both

RECIPE = """\
version: 1
name: faq
sources:
  - path: SOURCE
key: id
fields:
  question: question
  answer: answer
where: answer != "skip"
templates:
  - name: plain
    messages:
      - {role: user, content: "{{ question }}"}
      - {role: assistant, content: "{{ answer }}"}
  - name: polite
    messages:
      - {role: user, content: "{{ question }} please"}
      - {role: assistant, content: "{{ answer }}"}
split: {validation: 0.3}
training: {model: tiny-1}
"""
SMALL_PIECES = Effort(piece_bytes=400)


def records() -> list[dict[str, str]]:
    """Sixty records, every seventh left out by the recipe."""
    return [
        {"id": f"k{n}", "question": f"{n}번은 무엇입니까?", "answer": "skip" if n % 7 == 6 else f"It is {n}."}
        for n in range(60)
    ]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write records in the format of a suffix."""
    if path.suffix == ".csv":
        stream = io.StringIO()
        table = csv.DictWriter(stream, ["id", "question", "answer"])
        table.writeheader()
        table.writerows(rows)
        path.write_text(stream.getvalue(), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def state(folder: Path, name: str, rows: list[dict[str, str]]) -> Task:
    """A project of its own, as a state is."""
    folder.mkdir()
    (folder / "finetune.toml").touch()
    write(folder / name, rows)
    path = folder / "faq.yaml"
    path.write_text(RECIPE.replace("SOURCE", name))
    return Task(
        loaded=load_recipe(path),
        host=find_host("local"),
        limits=DatasetLimits(min_examples=1),
        counter=EstimatedTokens(),
        state=folder / ".finetune",
    )


def edited(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """One new record in front, one changed in the middle, one gone near the end, one no longer left out."""
    changed = [{**row, "answer": "That is thirty."} if row["id"] == "k30" else row for row in rows]
    kept = [row for row in changed if row["id"] != "k50"]
    shown = [{**row, "answer": "Now said."} if row["id"] == "k55" else row for row in kept]
    return [{"id": "new", "question": "새 질문?", "answer": "새 답."}, *shown]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the pieces that workers were asked for, cut small."""
    monkeypatch.setattr("runner.review.build.DEFAULT_EFFORT", SMALL_PIECES)
    monkeypatch.setattr("runner.review.names.DEFAULT_EFFORT", SMALL_PIECES)
    numbers: list[int] = []
    batches = Workers.batches

    def noted(self: Workers, jobs: Any) -> Any:
        def seen() -> Any:
            for job in jobs:
                numbers.append(job.number)
                yield job

        return batches(self, seen())

    monkeypatch.setattr(Workers, "batches", noted)
    return numbers


@pytest.mark.parametrize("name", ["faq.jsonl", "faq.csv", "faq.json"])
def test_pieces_and_single_records_give_the_same_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[int], name: str
) -> None:
    """Whole values: counts, hashes, tokens, findings, and every conversation with key, variant and row."""
    before = state(tmp_path / "a", name, records())
    after = state(tmp_path / "b", name, edited(records()))
    fast = render_both(before, after, made(tmp_path / "fast"), 100)

    def refused(self: Workers, jobs: Any) -> Any:
        raise Trouble
        yield

    monkeypatch.setattr(Workers, "batches", refused)
    slow = render_both(before, after, made(tmp_path / "slow"), 100)

    assert len(asked) > 10
    old, new, changes = fast
    assert old is not None and new is not None and changes is not None
    for quick, thorough in zip(fast[:2], slow[:2], strict=True):
        assert quick is not None and thorough is not None
        assert replace(quick.dataset, folder=Path()) == replace(thorough.dataset, folder=Path())
    assert changes == slow[2]
    assert [("k30", "plain"), ("k30", "polite")] == [
        (item.example.key, item.example.variant) for item in changes.changed
    ]
    assert ["new", "new", "k55", "k55"] == [item.example.key for item in changes.added]
    assert [("k50", 51), ("k50", 51)] == [(item.example.key, item.example.row) for item in changes.removed]
    assert [32, 32, 1, 1, 56, 56] == [item.example.row for item in (*changes.changed, *changes.added)]


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def test_a_piece_that_both_states_have_is_made_once(tmp_path: Path, asked: list[int]) -> None:
    rows = records()
    before = state(tmp_path / "a", "faq.jsonl", rows)
    rows[30] = {**rows[30], "answer": "That is it."}
    after = state(tmp_path / "b", "faq.jsonl", rows)
    _, _, changes = render_both(before, after, made(tmp_path / "c"), 10)
    first = max(asked) + 1

    assert list(range(first)) == asked[:first]
    assert len(asked[first:]) < 4
    assert changes is not None
    assert (2, 0, 0) == (changes.n_changed, changes.n_added, changes.n_removed)


def test_another_template_makes_every_piece_again(tmp_path: Path, asked: list[int]) -> None:
    before = state(tmp_path / "a", "faq.jsonl", records())
    after = state(tmp_path / "b", "faq.jsonl", records())
    path = tmp_path / "b" / "faq.yaml"
    path.write_text(path.read_text().replace("please", "now"))
    after = replace(after, loaded=load_recipe(path))
    _, _, changes = render_both(before, after, made(tmp_path / "c"), 1)

    assert 2 * (max(asked) + 1) == len(asked)
    assert changes is not None
    assert ("k0", "polite", 52) == (
        changes.changed[0].example.key,
        changes.changed[0].example.variant,
        changes.n_changed,
    )
