"""Follows a running trainer for a reporter."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from runner.canonical import write_atomically
from runner.local.training.job import (
    Checkpoint,
    CheckpointMetrics,
    Reporter,
    StepMetrics,
    TrainingCancelled,
    TrainingError,
    TrainingOptions,
)
from runner.local.training.processes import is_first, sum_over_all, wait_for_all
from runner.local.training.results import read_results, write_results
from runner.local.training.stopping import best_checkpoint, ends_early, measured

# Written last into a checkpoint: one without it was interrupted and is not used.
CHECKPOINT_RECORD = "checkpoint.json"
# The trainers' names of what they measure beside the loss.
MEASURED = {
    "mean_token_accuracy": "train_mean_token_accuracy",
    "rewards/accuracies": "train_reward_accuracy",
    "rewards/margins": "train_reward_margin",
    "reward": "train_mean_reward",
    "kl": "train_kl",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The means over a whole validation file, of what a method measures; the loss in nats."""

    loss: float | None = None
    mean_token_accuracy: float | None = None
    reward_accuracy: float | None = None
    reward_margin: float | None = None
    mean_reward: float | None = None


class ProgressCallback(TrainerCallback):  # type: ignore[misc] # the trainer takes subclasses only
    """Turns the trainer's events into the reporter's, for one run."""

    def __init__(
        self,
        reporter: Reporter,
        results_csv: Path,
        validate: Callable[[], Validation | None],
        options: TrainingOptions,
    ) -> None:
        self.rows: list[CheckpointMetrics] = []
        self._reporter = reporter
        self._results_csv = results_csv
        self._validate = validate
        self._options = options
        self._pending: StepMetrics | None = None

    def resume_from(self, step: int) -> None:
        """Take up the results of an earlier run of the same job, up to a step."""
        self.rows = [row for row in read_results(self._results_csv) if row.step <= step]

    @property
    def ends_here(self) -> bool:
        """Whether the epochs so far are enough."""
        return ends_early(self.rows, self._options)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the step before, now that it is known not to end an epoch, and stop if asked."""
        self._report_pending(None)
        stop_if_cancelled(self._reporter)

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop if asked, also inside a step made of several batches."""
        stop_if_cancelled(self._reporter)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Take a step's measurements from the trainer."""
        if "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            where = f"The loss became {logs['loss']} at step {state.global_step}"
            message = f"{where}; use a smaller learning_rate_multiplier."
            raise TrainingError("training_diverged", message, "hyperparameters")
        self._pending = StepMetrics(
            step=state.global_step,
            total_steps=state.max_steps,
            epoch=state.epoch,
            train_loss=logs["loss"],
            **{name: logs[key] for key, name in MEASURED.items() if key in logs},
        )

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate, report the epoch's last step with the result, and say whether to end here."""
        self._report_pending(self._validate())
        best = best_checkpoint(self.rows)
        if self._options.chooses_best and best is not None:
            # The trainer keeps it when it makes room for new ones.
            state.best_model_checkpoint = str(Path(args.output_dir) / f"checkpoint-{best.step}")
        # Decided by the first process: another machine may differ in the last digit.
        if sum_over_all(float(is_first() and self.ends_here))[0]:
            control.should_training_stop = True
            if state.global_step < state.max_steps:
                patience = self._options.early_stopping_patience
                epochs = "1 epoch" if patience == 1 else f"{patience} epochs"
                better = measured(best) if best is not None else ""
                self._reporter.event(
                    "info", f"Training ends early: nothing was better than {better} for {epochs}"
                )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint just written as complete and report it."""
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        checkpoint = Checkpoint(
            step=state.global_step, epoch=round(state.epoch), path=path, metrics=self.rows[-1]
        )
        # Each process writes a part of it.
        wait_for_all()
        if is_first():
            write_results(self._results_csv, self.rows)
            record = {"epoch": checkpoint.epoch, "metrics": asdict(checkpoint.metrics)}
            write_atomically(path / CHECKPOINT_RECORD, json.dumps(record).encode("utf-8"))
        self._reporter.checkpoint(checkpoint)

    def _report_pending(self, validation: Validation | None) -> None:
        if self._pending is None:
            return
        metrics, self._pending = self._pending, None
        if validation is not None:
            measured = {f"valid_{name}": value for name, value in asdict(validation).items()}
            metrics = replace(metrics, **measured)
        self.rows.append(_row(metrics))
        self._reporter.metrics(metrics)


def stop_if_cancelled(reporter: Reporter) -> None:
    """Raise TrainingCancelled when the reporter says so."""
    if reporter.is_cancelled():
        raise TrainingCancelled


def remove_unfinished_checkpoints(folder: Path) -> None:
    """Delete the checkpoints that an interrupted run left incomplete."""
    for path in folder.glob("checkpoint-*"):
        if not (path / CHECKPOINT_RECORD).is_file():
            shutil.rmtree(path)


def read_checkpoints(folder: Path) -> list[Checkpoint]:
    """List the complete checkpoints in a folder, oldest first."""
    checkpoints = []
    for record_file in folder.glob(f"checkpoint-*/{CHECKPOINT_RECORD}"):
        record = json.loads(record_file.read_bytes())
        metrics = CheckpointMetrics(**record["metrics"])
        checkpoints.append(
            Checkpoint(step=metrics.step, epoch=record["epoch"], path=record_file.parent, metrics=metrics)
        )
    return sorted(checkpoints, key=lambda checkpoint: checkpoint.step)


def _row(metrics: StepMetrics) -> CheckpointMetrics:
    shared = {field.name for field in fields(CheckpointMetrics)} & {field.name for field in fields(metrics)}
    return CheckpointMetrics(
        **{name: getattr(metrics, name) for name in shared},
        full_valid_loss=metrics.valid_loss,
        full_valid_mean_token_accuracy=metrics.valid_mean_token_accuracy,
    )
