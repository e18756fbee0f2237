"""How far work on a dataset is: a bar on a terminal, a line now and then elsewhere, nothing for little."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from runner.dataset.watched import Doing

SILENT_S = 2.0
# Off a terminal, one line per so many seconds.
PLAIN_S = 15.0
WIDE_TERMINAL, WIDE_BAR, NARROW_BAR = 100, 24, 10


class BuildProgress:
    """Shows one work after another as it is watched (`runner.dataset.watched.BuildWatch`)."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._bar: Any = None
        self._doing: Doing = "building"
        self._began = self._due = 0.0
        self._n_records = self._n_bytes = 0
        self._total_bytes: int | None = None

    def begin(self, total_bytes: int | None, doing: Doing = "building") -> None:
        """Start counting."""
        self.end()
        self._doing = doing
        self._total_bytes = total_bytes or None
        self._n_records = self._n_bytes = 0
        self._began = self._now()
        self._due = self._began + SILENT_S

    def advance(self, n_records: int, n_bytes: int) -> None:
        """Count, and show where it is time to."""
        self._n_records += n_records
        self._n_bytes += n_bytes
        now = self._now()
        if now < self._due:
            return
        if self._stream.isatty():
            self._show_bar(now)
            return
        self._due = now + PLAIN_S
        # A reader that has gone does not end a build.
        with suppress(BrokenPipeError):
            self._stream.write(f"{self._doing}: {', '.join(self._parts(now))}\n")
            self._stream.flush()

    def end(self) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _parts(self, now: float) -> list[str]:
        """Records and their rate; bytes and the time that is left where they are known."""
        seconds = now - self._began
        parts = [f"{self._n_records:,} records", f"{self._n_records / seconds:,.0f} records/s"]
        if self._n_bytes:
            total = f" of {self._total_bytes / 1e6:,.0f}" if self._total_bytes else ""
            parts.append(f"{self._n_bytes / 1e6:,.0f}{total} MB")
        if self._total_bytes and self._n_bytes:
            left_s = seconds * max(0.0, self._total_bytes / self._n_bytes - 1)
            parts.append(f"{_duration(left_s)} left")
        return parts

    def _show_bar(self, now: float) -> None:
        if self._bar is None:
            self._bar = _make_bar(self._stream)
            self._bar.add_task(self._doing, total=self._total_bytes, measures="")
            self._bar.start()
        done = min(self._n_bytes, self._total_bytes) if self._total_bytes else self._n_bytes
        self._bar.update(self._bar.task_ids[0], completed=done, measures=", ".join(self._parts(now)))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _make_bar(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    console = Console(file=stream)
    return Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=WIDE_BAR if console.width >= WIDE_TERMINAL else NARROW_BAR),
        TextColumn(
            "{task.fields[measures]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        ),
        console=console,
        expand=True,
        transient=True,
    )
