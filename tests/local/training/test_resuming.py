"""A job that is killed goes on as if nothing had been: pytest tests/local/training/test_resuming.py

The kills are exceptions that nothing catches, at chosen moments; tests/local/test_kills.py sends signals.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch

from runner.local.training import progress, saving
from runner.local.training.job import StepMetrics, TrainingJob, TrainingOptions, TrainingResult
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

TEN = [question_and_answer(f"{number}번 질문", f"답은 {number * 37 % 101}입니다.") for number in range(10)]


class KilledError(BaseException):
    """The process is gone."""


class DyingReporter(RecordingReporter):
    """Dies when it is told of a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def metrics(self, metrics: StepMetrics) -> None:
        super().metrics(metrics)
        if metrics.step == self.step:
            raise KilledError


def job_in(folder: Path) -> TrainingJob:
    """Four epochs of two steps, with validation and the choice of the best."""
    folder.mkdir()
    training_file = write_jsonl(folder / "train.jsonl", TEN)
    options = TrainingOptions(load_best_model_at_end=True)
    values = {"validation_file": training_file, "n_epochs": 4, "batch_size": 5, "options": options}
    return make_job(folder / "out", training_file, **values)


@pytest.fixture(scope="module")
def whole(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The result of a run that nothing interrupted."""
    return train(job_in(tmp_path_factory.mktemp("whole") / "job"), RecordingReporter())


def killed(nth: int, call: Callable[..., Any], *, is_torn: bool = False) -> Callable[..., Any]:
    """A function in which the process is killed at the nth call, half of its file written or none."""
    calls = 0

    def cut_short(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            if is_torn:
                Path(arguments[1]).write_bytes(b"half")
            raise KilledError
        return call(*arguments, **options)

    return cut_short


def finish(job: TrainingJob, whole: TrainingResult, first_step: int) -> None:
    """Go on with a killed job, and compare it with the run that nothing interrupted."""
    reporter = RecordingReporter()
    result = train(job, reporter)

    assert [step.step for step in reporter.steps] == list(range(first_step, 9))
    assert result.weights_sha256 == whole.weights_sha256
    assert result.results_csv.read_bytes() == whole.results_csv.read_bytes()
    assert result.trained_tokens == whole.trained_tokens
    assert [one.step for one in result.checkpoints] == [one.step for one in whole.checkpoints]
    assert [one.metrics for one in result.checkpoints] == [one.metrics for one in whole.checkpoints]


@pytest.mark.parametrize(("step", "first_step"), [(1, 1), (5, 5), (6, 5)])
def test_a_kill_between_steps_changes_nothing(
    tmp_path: Path, whole: TrainingResult, step: int, first_step: int
) -> None:
    """Also before the first checkpoint, and between an epoch's last step and its checkpoint."""
    job = job_in(tmp_path / "job")
    with pytest.raises(KilledError):
        train(job, DyingReporter(step))

    finish(job, whole, first_step)


@pytest.mark.parametrize("nth", [6, 7])
def test_a_kill_inside_a_checkpoint_changes_nothing(
    tmp_path: Path, whole: TrainingResult, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """The weights of the second are there, and one of the files for resuming is half written."""
    job = job_in(tmp_path / "job")
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(torch, "save", killed(nth, torch.save, is_torn=True))
        train(job, RecordingReporter())

    finish(job, whole, 3)


def test_a_kill_before_a_checkpoint_is_marked_changes_nothing(
    tmp_path: Path, whole: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is whole, and an older one is gone already; nobody can tell that it is whole."""
    job = job_in(tmp_path / "job")
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(progress, "write_atomically", killed(4, progress.write_atomically))
        train(job, RecordingReporter())

    finish(job, whole, 7)


def test_a_kill_after_the_last_step_changes_nothing(
    tmp_path: Path, whole: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the best checkpoint's weights take their place."""
    job = job_in(tmp_path / "job")
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(saving, "read_checkpoints", killed(1, saving.read_checkpoints))
        train(job, RecordingReporter())

    finish(job, whole, 9)
