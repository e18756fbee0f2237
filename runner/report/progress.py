"""A job's progress: a live bar and the curve of its loss on a terminal, plain lines elsewhere."""

import math
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

from runner.display import one_line
from runner.execution.watching import Update
from runner.providers.base import Event
from runner.report.terminal import event_text

# Off a terminal, one line of metrics per this share of the steps.
PLAIN_SHARE = 0.1
WIDE_TERMINAL, WIDE_BAR, NARROW_BAR = 100, 24, 10
# One per epoch; `finetune events` and `finetune status` have them.
ROUTINE = "Checkpoint created"


class JobProgress:
    """Shows updates as they come; use as a context manager so that the bar is taken down."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.bar: Any = None
        self.task: Any = None
        self.shown = 0.0
        self.job_id = ""
        self.losses: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def show(self, update: Update) -> None:
        """Show the new events of one poll in their order; of metrics in a row only the last."""
        self._turn_to(update.job.id)
        pending = None
        for event in update.events:
            if event.type == "metrics":
                pending = event
                self._remember(event)
                continue
            if event.message.startswith(ROUTINE):
                continue
            if pending is not None:
                self._metrics(pending)
                pending = None
            self.line(event_text(event))
        if pending is not None:
            self._metrics(pending)

    def line(self, text: str) -> None:
        """Write a line above the bar."""
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False)
        else:
            # A reader that has gone does not end a job that is being followed.
            with suppress(BrokenPipeError):
                self.stream.write(f"{text}\n")
                self.stream.flush()

    def _turn_to(self, job_id: str) -> None:
        """Begin anew with another job."""
        if job_id != self.job_id:
            if self.bar is not None:
                self.bar.stop()
            self.bar, self.shown, self.job_id, self.losses = None, 0.0, job_id, []

    def _remember(self, event: Event) -> None:
        """Keep the loss of a step for the curve."""
        loss = event.data.get("train_loss")
        if isinstance(loss, int | float) and math.isfinite(loss):
            self.losses.append(float(loss))

    def _metrics(self, event: Event) -> None:
        step, total = event.data.get("step"), event.data.get("total_steps")
        if not isinstance(step, int) or not isinstance(total, int) or total <= 0:
            self.line(event_text(event))
        elif self.stream.isatty():
            self._advance(event, step, total)
        elif step / total >= self.shown + PLAIN_SHARE or step == total:
            self.shown = step / total
            self.line(f"step {step}/{total}, {_measures(event)}")

    def _advance(self, event: Event, step: int, total: int) -> None:
        shown = {"completed": step, "measures": _measures(event)}
        if self.bar is None:
            self.bar = _make_bar(self.stream)
            self.bar.losses = self.losses
            self.task = self.bar.add_task("training", total=total, **shown)
            self.bar.start()
        else:
            self.bar.update(self.task, **shown)


def _measures(event: Event) -> str:
    names = {
        "epoch": "epoch",
        "train_loss": "loss",
        "train_mean_token_accuracy": "token accuracy",
        "valid_loss": "validation loss",
    }
    data = event.data
    parts = [f"{shown} {_number(data[name])}" for name, shown in names.items() if data.get(name) is not None]
    return ", ".join(parts)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))


def _make_bar(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    from runner.report.live_curve import CurvedProgress

    console = Console(file=stream)
    # On a narrow terminal the measures give way: how far the job is can always be read.
    measures = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    whole = Column(no_wrap=True, min_width=len("10000/10000"))
    return CurvedProgress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=WIDE_BAR if console.width >= WIDE_TERMINAL else NARROW_BAR),
        MofNCompleteColumn(table_column=whole),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[measures]}", table_column=measures),
        console=console,
        expand=True,
    )
