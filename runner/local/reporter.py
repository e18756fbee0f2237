"""Writes a running job's news into the store, in the hosted service's words."""

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.clock import Clock
from runner.local.identifiers import checkpoint_name, derived_id, new_id
from runner.local.layout import Layout
from runner.local.rows import CheckpointRow, EventRow, JobRow, Level, ModelRow
from runner.local.store import Store
from runner.local.training.job import Checkpoint, ResolvedHyperparameters, StepMetrics

# Events wait this long to be written together: one transaction per step would cost more than small steps do.
FLUSH_S = 0.25


class StoreReporter:
    """The reporter of one job; `flush` writes what is still waiting."""

    def __init__(self, store: Store, layout: Layout, job: JobRow, clock: Clock) -> None:
        self._store = store
        self._layout = layout
        self._job = job
        self._clock = clock
        self._waiting: list[EventRow] = []
        self._flushed_at = clock.now()
        self._pace: Callable[[StepMetrics], int | None] = pace(clock)
        self._estimated_finish: int | None = None

    def event(self, level: Level, message: str) -> None:
        """Take one line of the job's log."""
        self._waiting.append(self._row(new_id("ftevent"), message, level))
        self.flush()

    def resolved(self, hyperparameters: ResolvedHyperparameters, total_steps: int, n_examples: int) -> None:
        """Take the values behind "auto"."""
        values = {name: value for name, value in asdict(hyperparameters).items() if value is not None}
        # What is not among them was asked for as it is.
        self._store.update_job(self._job.id, hyperparameters={**self._job.hyperparameters, **values})
        self.event(
            "info",
            f"Training on {n_examples} examples: {total_steps} steps, n_epochs {values['n_epochs']}, "
            f"batch_size {values['batch_size']}, "
            f"learning_rate_multiplier {values['learning_rate_multiplier']:g}",
        )

    def metrics(self, metrics: StepMetrics) -> None:
        """Take the measurements of one step."""
        message = f"Step {metrics.step}/{metrics.total_steps}: training loss={metrics.train_loss:.2f}"
        if metrics.valid_loss is not None:
            message += f", validation loss={metrics.valid_loss:.2f}"
        # Derived, so that a step that is trained again after a crash is the same event, not a second one.
        event_id = derived_id("ftevent", f"{self._job.id}/{metrics.step}")
        data = {name: value for name, value in asdict(metrics).items() if value is not None}
        self._waiting.append(self._row(event_id, message, type="metrics", data=data))
        self._estimated_finish = self._pace(metrics)
        if self._clock.now() - self._flushed_at >= FLUSH_S:
            self.flush()

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Take a checkpoint that was just written, and forget the ones that are gone."""
        row = checkpoint_row(self._job, checkpoint, int(self._clock.now()))
        with self._store.transaction():
            if self._store.find(CheckpointRow, row.id) is None:
                # A job that comes further each time may be interrupted as often as it likes.
                self._store.update_job(self._job.id, starts=1)
            self._store.add(row, checkpoint_model(self._job, row, checkpoint.path, self._layout))
            for old in self._store.checkpoints(self._job.id):
                model = self._store.model(old.model)
                if model is not None and not (self._layout.root / model.path).is_dir():
                    self._store.remove_model(old.model)
        self.event("info", f"Checkpoint created at step {checkpoint.step}")

    def is_cancelled(self) -> bool:
        """Whether the job was cancelled or paused, or is not to go on for another reason."""
        return not self._store.may_go_on(self._job)

    def flush(self) -> None:
        """Write the events that wait."""
        with self._store.transaction():
            self._store.add(*self._waiting)
            if self._estimated_finish is not None:
                self._store.update_job(self._job.id, estimated_finish=self._estimated_finish)
        self._waiting.clear()
        self._flushed_at = self._clock.now()

    def _row(self, event_id: str, message: str, level: Level = "info", **more: Any) -> EventRow:
        now = int(self._clock.now())
        return EventRow(
            id=event_id, job_id=self._job.id, created_at=now, level=level, message=message, **more
        )


def checkpoint_row(job: JobRow, checkpoint: Checkpoint, created_at: int) -> CheckpointRow:
    """What the API shows of a checkpoint; its ID is the same on every machine."""
    metrics = {name: value for name, value in asdict(checkpoint.metrics).items() if value is not None}
    return CheckpointRow(
        id=derived_id("ftckpt", f"{job.id}/{checkpoint.step}"),
        job_id=job.id,
        created_at=created_at,
        step=checkpoint.step,
        model=checkpoint_name(job.fine_tuned_model, checkpoint.step),
        metrics=metrics,
    )


def checkpoint_model(job: JobRow, row: CheckpointRow, path: Path, layout: Layout) -> ModelRow:
    """The model that a checkpoint is, in its present folder."""
    return ModelRow(
        id=row.model,
        job_id=job.id,
        created_at=row.created_at,
        base_model=job.base_model,
        path=path.relative_to(layout.root).as_posix(),
        is_checkpoint=True,
    )


def pace(clock: Clock) -> Callable[[StepMetrics], int | None]:
    """Make a function that predicts, from the steps it has seen, when the last one will be done."""
    first: tuple[int, float] | None = None

    def predict(metrics: StepMetrics) -> int | None:
        nonlocal first
        now = clock.now()
        if first is None:
            first = (metrics.step, now)
            return None
        step_s = (now - first[1]) / max(metrics.step - first[0], 1)
        return math.ceil(now + step_s * (metrics.total_steps - metrics.step))

    return predict
