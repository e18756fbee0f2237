"""The bar of a job on a terminal."""

import io

import pytest

from runner.execution.watching import Update
from runner.providers.base import Event, Job
from runner.report.progress import JobProgress

JOB = Job(id="ftjob-1", status="running", model="m", training_file="file-1", created_at=1)
DATA = {
    "step": 300,
    "total_steps": 1800,
    "epoch": 1.25,
    "train_loss": 0.12345,
    "train_mean_token_accuracy": 0.98765,
    "valid_loss": 1.2345,
}


class Terminal(io.StringIO):
    """A terminal that keeps what it is sent."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_the_steps_can_be_read_on_a_terminal_of_any_width(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """The measures give way."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    event = Event(id="1", created_at=1, level="info", message="Step", type="metrics", data=DATA)
    with JobProgress(stream) as progress:
        progress.show(Update(job=JOB, events=(event,)))
    shown = [line for line in stream.getvalue().splitlines() if "training" in line]

    assert shown
    assert [] == [line for line in shown if " 300/1800" not in line]


@pytest.mark.parametrize(("lines", "drawn"), [("40", True), ("10", False)])
def test_the_curve_of_the_loss_is_drawn_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, lines: str, *, drawn: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", lines)
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    events = tuple(
        Event(
            id=str(step),
            created_at=1,
            level="info",
            message="Step",
            type="metrics",
            data={**DATA, "step": step, "train_loss": 3 / step},
        )
        for step in range(1, 60)
    )
    with JobProgress(stream) as progress:
        progress.show(Update(job=JOB, events=events))

    assert drawn is ("training loss over 59 steps, now 0.05085" in stream.getvalue())
    assert drawn is ("       3 " in stream.getvalue())
