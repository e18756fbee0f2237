"""A worker whose training is a second or less; the job's seed chooses what it does."""

import atexit
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from runner.canonical import sha256_bytes
from runner.local.training.job import (
    Checkpoint,
    CheckpointMetrics,
    Reporter,
    ResolvedHyperparameters,
    StepMetrics,
    TrainingCancelled,
    TrainingError,
    TrainingJob,
    TrainingResult,
)
from runner.local.worker import main

SUCCEEDS, WAITS, DISK_FULL, DIES, BREAKS, OTHER_FAILS, OTHER_DIES, LINGERS = 1, 2, 3, 4, 5, 6, 7, 8
TOTAL_STEPS = 4
# How long a process that has done its work is still there: several looks of its supervisor.
LINGERS_S = 0.5
GO, CANCELLED = "go", "cancelled"


def train(job: TrainingJob, reporter: Reporter | None) -> TrainingResult:
    """Report four steps and write a model of a few bytes; what is not the first process only waits for it."""
    if reporter is None:
        return _accompany(job)
    resolved = ResolvedHyperparameters(n_epochs=2, batch_size=8, learning_rate_multiplier=1.0)
    reporter.resolved(resolved, TOTAL_STEPS, 10)
    checkpoints = tuple(_step(job, reporter, step) for step in range(1, TOTAL_STEPS + 1))
    if job.seed in (WAITS, OTHER_FAILS, OTHER_DIES):
        _wait(job, reporter)
    if job.seed == DISK_FULL:
        raise TrainingError("disk_full", "The disk is full; free some space and run the job again.")
    if job.seed == DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.seed == BREAKS:
        raise KeyError("surprise")
    if job.seed == LINGERS:
        atexit.register(time.sleep, LINGERS_S)
    results = job.output_dir / "results.csv"
    results.write_text("step,train_loss\n1,0.5\n")
    weights = b"weights of " + job.training_file.read_bytes()
    return TrainingResult(
        hyperparameters=resolved,
        trained_tokens=1700,
        weights_sha256=sha256_bytes(weights),
        weights_platform="fake",
        model_dir=_folder(job.output_dir / "model"),
        checkpoints=checkpoints[1::2],
        results_csv=results,
    )


def _accompany(job: TrainingJob) -> NoReturn:
    if job.seed == OTHER_FAILS:
        raise TrainingError("out_of_memory", "There is not enough memory.", "hyperparameters")
    if job.seed == OTHER_DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    company = job.output_dir / "company"
    company.mkdir(parents=True, exist_ok=True)
    (company / str(os.getpid())).touch()
    deadline = time.monotonic() + 30
    # The folder goes when the model is published.
    while job.seed == WAITS and company.exists() and time.monotonic() < deadline:
        if (job.output_dir / CANCELLED).exists():
            break
        time.sleep(0.02)
    raise TrainingCancelled


def _step(job: TrainingJob, reporter: Reporter, step: int) -> Checkpoint:
    if reporter.is_cancelled():
        raise TrainingCancelled
    reporter.metrics(
        StepMetrics(
            step=step,
            total_steps=TOTAL_STEPS,
            epoch=step / 2,
            train_loss=1 / step,
            train_mean_token_accuracy=0.5,
            valid_loss=0.75 if step % 2 == 0 else None,
        )
    )
    metrics = CheckpointMetrics(step=step, train_loss=1 / step, train_mean_token_accuracy=0.5)
    path = job.output_dir / f"checkpoint-{step}"
    checkpoint = Checkpoint(step=step, epoch=step // 2, path=path, metrics=metrics)
    if step % 2 == 0:
        _folder(path)
        reporter.checkpoint(checkpoint)
    return checkpoint


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "model.safetensors").write_bytes(b"weights")
    (path / "optimizer.pt").write_bytes(b"state")
    return path


def _wait(job: TrainingJob, reporter: Reporter) -> None:
    deadline = time.monotonic() + 30
    while not (job.output_dir / GO).exists() and time.monotonic() < deadline:
        if reporter.is_cancelled():
            (job.output_dir / CANCELLED).touch()
            raise TrainingCancelled
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], train))
