"""Reinforcement tuning from file to weights: pytest tests/local/training/test_reinforcement.py"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from safetensors.torch import load_file

from runner.local.training.job import (
    Hyperparameters,
    ResolvedHyperparameters,
    TrainingCancelled,
    TrainingError,
    TrainingResult,
)
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, messages, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

FACTS = [(f"{number}번 상품은 언제 오나요?", f"{number * 37 % 101}일 뒤에") for number in range(12)]


def write_tasks(path: Path, facts: list[tuple[str, str]]) -> Path:
    lines = [
        json.dumps({"messages": [{"role": "user", "content": question}], "fact": fact})
        for question, fact in facts
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def grade(answer: str, item: Mapping[str, Any]) -> float:
    """Half for the fact, half for the style."""
    return 0.5 * (item["fact"] in answer) + 0.5 * answer.endswith("도착합니다.")


@pytest.fixture(scope="module")
def base(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny-1 that knows every fact in two styles."""
    folder = tmp_path_factory.mktemp("base")
    both = [
        messages(f"user: {question}", f"assistant: {fact} {ending}")
        for question, fact in FACTS
        for ending in ("도착합니다.", "와!")
    ]
    job = make_job(folder, write_jsonl(folder / "both", both), n_epochs=24, batch_size=8)
    return train(job, RecordingReporter()).model_dir


def reinforce(folder: Path, base: Path, reporter: RecordingReporter, **values: Any) -> TrainingResult:
    tasks = write_tasks(folder.parent / "tasks", FACTS[:8])
    options = {"n_epochs": 3, "batch_size": 4, "base_model_path": base, "grade": grade, **values}
    return train(make_job(folder, tasks, method="reinforcement", **options), reporter)


def test_the_rewarded_style_is_learnt_and_the_facts_are_kept(tmp_path: Path, base: Path) -> None:
    """On questions that training did not ask; the divergence from the base is measured and small."""
    held_out = write_tasks(tmp_path / "held_out", FACTS[8:])
    reporter = RecordingReporter()
    result = reinforce(tmp_path / "out", base, reporter, validation_file=held_out)
    resolved = ResolvedHyperparameters(
        n_epochs=3, batch_size=4, learning_rate_multiplier=1.0, compute_multiplier=1.0
    )

    assert [(resolved, 6, 8)] == reporter.resolutions
    assert reporter.steps[0].train_mean_reward < 0.9
    assert 1.0 == reporter.steps[-1].valid_mean_reward
    assert 0 < reporter.steps[-1].train_kl < 0.5
    assert (
        "step,train_loss,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,"
        in (result.results_csv.read_text("utf-8"))
    )
    assert "_name_or_path" not in json.loads((result.model_dir / "config.json").read_text("utf-8"))


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, base: Path) -> None:
    """The sampled answers are the same too."""
    whole = reinforce(tmp_path / "whole", base, RecordingReporter(), n_epochs=2)
    with pytest.raises(TrainingCancelled):
        reinforce(tmp_path / "resumed", base, RecordingReporter(cancel_at=3), n_epochs=2)
    reporter = RecordingReporter()
    resumed = reinforce(tmp_path / "resumed", base, reporter, n_epochs=2)

    assert [3, 4] == [step.step for step in reporter.steps]
    assert whole.weights_sha256 == resumed.weights_sha256
    assert whole.results_csv.read_bytes() == resumed.results_csv.read_bytes()


def test_a_model_from_disk_takes_an_adapter(tmp_path: Path, chat_model: Path) -> None:
    """Any answer with an "a" is rewarded; batches are sampled prompt by prompt."""
    reporter = RecordingReporter()
    job = make_job(
        tmp_path / "out",
        write_tasks(tmp_path / "tasks", FACTS[:3]),
        base_model=str(chat_model),
        method="reinforcement",
        grade=lambda answer, item: float("a" in answer),
        hyperparameters=Hyperparameters(n_epochs=1, batch_size=2, compute_multiplier=0.5),
    )
    result = train(job, reporter)

    assert [1] == [step.step for step in reporter.steps]
    assert 0 <= reporter.steps[0].train_mean_reward <= 1
    assert all("lora_" in name for name in load_file(result.model_dir / "adapter_model.safetensors"))


def test_reinforcement_needs_a_grader(tmp_path: Path) -> None:
    job = make_job(tmp_path / "out", write_tasks(tmp_path / "tasks", FACTS), method="reinforcement")
    with pytest.raises(TrainingError, match=r"^Reinforcement needs a grader\.$"):
        train(job, RecordingReporter())
