"""The example recipes for preferences and reinforcement: what they build, and that training them works."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.providers.local_service import stop_service
from tests.cli.conftest import Call

RECIPES = Path(__file__).parents[2] / "recipes"
CASES = {
    "tone_preference": ("tone_base", "data/tone_pairs.jsonl", "chosen"),
    "graded_arithmetic": ("arithmetic_base", "data/sums.jsonl", "answer"),
}


@pytest.fixture
def examples(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The recipes and their data in a project of their own."""
    shutil.copytree(RECIPES / "data", project / "data")
    for name in [*CASES, *(base for base, _, _ in CASES.values())]:
        shutil.copy(RECIPES / f"{name}.yaml", project)
    monkeypatch.chdir(project)
    yield project
    stop_service(project / ".finetune")


def test_they_are_planned_with_what_they_build_on(examples: Path, call: Call) -> None:
    said = {name: call("plan", f"{name}.yaml").out.splitlines()[0::4][:2] for name in CASES}

    assert {
        "tone_preference": "1 of 2, tone_base.yaml: local (on this machine), model tiny-1",
        "graded_arithmetic": "1 of 2, arithmetic_base.yaml: local (on this machine), model tiny-1",
    } == {name: lines[0] for name, lines in said.items()}
    preview = call("preview", "graded_arithmetic.yaml", "-n", "1").out
    assert "data/sums.jsonl: row 1, key s-01\n  user: 3 더하기 7은?\n  item.answer: 10\n" == preview


@pytest.mark.long
@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_training_moves_the_model_to_the_wanted_answers(examples: Path, call: Call, name: str) -> None:
    pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
    base, data, column = CASES[name]
    outcome = call("run", f"{name}.yaml")
    assert 0 == outcome.code, outcome.err
    wanted = [json.loads(line)[column] for line in (examples / data).read_text().splitlines()]

    def hits(*options: str) -> int:
        rows: list[Any] = [
            json.loads(line) for line in call("predict", data, f"{name}.yaml", *options).out.splitlines()
        ]
        return sum(row["answer"] == text for row, text in zip(rows, wanted, strict=True))

    model = call("status", f"{base}.yaml", "--json").data["job"]["fine_tuned_model"]
    before, after = hits("--model", model), hits()
    assert before <= 12 and after >= 20, (before, after)
