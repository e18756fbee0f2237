"""What a job may ask for beyond OpenAI's API: pytest tests/local/training/test_options.py"""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("trl")

from safetensors.torch import load_file

from runner.canonical import sha256_file
from runner.local.training import models
from runner.local.training.job import Hyperparameters, TrainingError, TrainingOptions
from runner.local.training.models import load_model
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

TEN = [question_and_answer(f"{number}번 질문", f"답은 {number * 37 % 101}입니다.") for number in range(10)]
OTHERS = [question_and_answer(f"{number}번?", f"{number * 53 % 101}") for number in range(4)]
STOPPING = TrainingOptions(early_stopping_patience=2)


class KilledError(BaseException):
    """The process is gone."""


class DyingReporter(RecordingReporter):
    """Dies when it is told which checkpoint becomes the model."""

    def event(self, level: str, message: str) -> None:
        super().event(level, message)
        if "becomes the model" in message:
            raise KilledError


def stopping_job(folder: Path, **more: object) -> object:
    """tiny-1 learns ten answers by heart, and gets worse at others from some epoch on."""
    folder.mkdir()
    files = [write_jsonl(folder / "train.jsonl", TEN), write_jsonl(folder / "valid.jsonl", OTHERS)]
    values = {"validation_file": files[1], "n_epochs": 12, "batch_size": 5, "options": STOPPING}
    return make_job(folder / "out", files[0], **{**values, **more})


def test_training_ends_early_with_the_best_checkpoint(tmp_path: Path) -> None:
    """The events say when and why; the best checkpoint is kept, and its weights are the model's."""
    reporter = RecordingReporter()
    result = train(stopping_job(tmp_path / "a"), reporter)
    losses = {step.step: step.valid_loss for step in reporter.steps if step.valid_loss is not None}
    best = min(losses, key=lambda step: losses[step])
    last = max(losses)

    assert last == best + 4 < 24
    assert [
        f"info: Training ends early: nothing was better than a validation loss of {losses[best]:.4f} "
        "for 2 epochs",
        f"info: The checkpoint of step {best} becomes the model: it has a validation loss of "
        f"{losses[best]:.4f}, the best of {last // 2} epochs",
    ] == reporter.events
    assert [best, best + 2, last] == [checkpoint.step for checkpoint in result.checkpoints]
    assert result.weights_sha256 == sha256_file(result.checkpoints[0].path / "model.safetensors")
    assert result.weights_sha256 == sha256_file(result.model_dir / "model.safetensors")
    assert result.trained_tokens % (last // 2) == 0


def test_an_interrupted_end_is_decided_again_in_the_same_way(tmp_path: Path) -> None:
    """Nothing is trained beyond it, and the weights are the same."""
    whole = train(stopping_job(tmp_path / "whole"), RecordingReporter())
    job = stopping_job(tmp_path / "resumed")
    with pytest.raises(KilledError):
        train(job, DyingReporter())
    reporter = RecordingReporter()
    resumed = train(job, reporter)

    assert [] == reporter.steps
    assert (whole.weights_sha256, whole.trained_tokens) == (resumed.weights_sha256, resumed.trained_tokens)
    assert whole.results_csv.read_bytes() == resumed.results_csv.read_bytes()


def test_the_last_checkpoint_is_the_model_where_that_is_asked(tmp_path: Path) -> None:
    options = TrainingOptions(early_stopping_patience=2, load_best_model_at_end=False)
    result = train(stopping_job(tmp_path / "a", options=options), RecordingReporter())

    assert result.weights_sha256 == sha256_file(result.checkpoints[-1].path / "model.safetensors")


def test_the_best_of_all_epochs_outlives_later_ones(tmp_path: Path) -> None:
    """Without patience every epoch is trained, and two later checkpoints are kept beside the best."""
    options = TrainingOptions(load_best_model_at_end=True)
    reporter = RecordingReporter()
    result = train(stopping_job(tmp_path / "a", options=options), reporter)
    losses = {step.step: step.valid_loss for step in reporter.steps if step.valid_loss is not None}
    best = min(losses, key=lambda step: losses[step])

    assert 24 == max(losses)
    assert [best, 22, 24] == [checkpoint.step for checkpoint in result.checkpoints]
    assert result.weights_sha256 == sha256_file(result.checkpoints[0].path / "model.safetensors")


def test_every_weight_is_tuned_where_no_adapter_is_wanted(tmp_path: Path, chat_model: Path) -> None:
    """The result is a whole model, which is tuned further in the same way."""
    training_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    values = {"base_model": str(chat_model), "n_epochs": 1, "batch_size": 5}
    options = TrainingOptions(adapter="none")
    first = train(make_job(tmp_path / "1", training_file, **values, options=options), RecordingReporter())
    second = train(
        make_job(tmp_path / "2", training_file, **values, base_model_path=first.model_dir),
        RecordingReporter(),
    )
    base, tuned = (load_file(folder / "model.safetensors") for folder in (chat_model, first.model_dir))

    assert base.keys() == tuned.keys()
    assert not any(base[name].equal(tuned[name]) for name in base)
    assert first.weights_sha256 != second.weights_sha256
    assert not (second.model_dir / "adapter_config.json").exists()
    assert not load_model(str(chat_model), second.model_dir, allow_network=False).is_adapter


def test_the_adapter_has_the_size_that_was_asked_for(tmp_path: Path, chat_model: Path) -> None:
    training_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    options = TrainingOptions(lora_r=2, lora_alpha=8, lora_dropout=0.25)
    values = {"base_model": str(chat_model), "n_epochs": 1, "batch_size": 5, "options": options}
    result = train(make_job(tmp_path / "out", training_file, **values), RecordingReporter())
    config = json.loads((result.model_dir / "adapter_config.json").read_bytes())

    assert (2, 8, 0.25) == tuple(config[name] for name in ("r", "lora_alpha", "lora_dropout"))


@pytest.mark.long
def test_an_adapter_is_trained_above_packed_weights(tmp_path: Path, chat_model: Path) -> None:
    """QLoRA works without a GPU too; the base keeps its bytes, and the same job gives the same adapter."""
    pytest.importorskip("bitsandbytes", reason="bitsandbytes (the extra `qlora`) is not installed")
    before = sha256_file(chat_model / "model.safetensors")
    training_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    hyperparameters = Hyperparameters(n_epochs=6, batch_size=5, learning_rate_multiplier=10)
    values = {"base_model": str(chat_model), "hyperparameters": hyperparameters}
    results, reporter = [], RecordingReporter()
    for name in ("a", "b"):
        job = make_job(tmp_path / name, training_file, **values, options=TrainingOptions(adapter="qlora"))
        results.append(train(job, reporter))

    assert results[0].weights_sha256 == results[1].weights_sha256
    assert reporter.steps[-1].train_loss < reporter.steps[0].train_loss - 0.5
    assert before == sha256_file(chat_model / "model.safetensors")
    assert load_model(str(chat_model), results[0].model_dir, allow_network=False).is_adapter


def test_qlora_names_the_extra_that_it_needs(
    tmp_path: Path, chat_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None if name == "bitsandbytes" else find_spec(name))
    job = make_job(
        tmp_path / "out",
        write_jsonl(tmp_path / "train.jsonl", TEN),
        base_model=str(chat_model),
        options=TrainingOptions(adapter="qlora"),
    )
    with pytest.raises(TrainingError) as caught:
        train(job, RecordingReporter())

    assert (
        "model_not_available",
        "The adapter 'qlora' needs the extra `qlora` (bitsandbytes not found): "
        "pip install 'finetune-runner[qlora]'. Or use the adapter 'lora'.",
        "hyperparameters.adapter",
    ) == (caught.value.code, caught.value.message, caught.value.param)
