"""What reporting costs, and what it predicts."""

import time
from pathlib import Path

from runner.clock import SystemClock
from runner.local.layout import Layout
from runner.local.reporter import StoreReporter, pace
from runner.local.rows import JobRow
from runner.local.store import Store
from runner.local.training.job import StepMetrics

N_STEPS = 400


class SetClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def step(number: int, total: int = N_STEPS) -> StepMetrics:
    """The measurements of one step."""
    return StepMetrics(
        step=number, total_steps=total, epoch=0.5, train_loss=1.0, train_mean_token_accuracy=0.5
    )


def test_reporting_a_step_costs_less_than_two_milliseconds(tmp_path: Path) -> None:
    """The events are written in batches, and none is lost."""
    layout = Layout(tmp_path)
    store = Store(layout.database, durable=False)
    job = JobRow(
        id="j", created_at=1, model="m", base_model="m", fine_tuned_model="f", training_file="t", seed=1
    )
    store.add(job)
    reporter = StoreReporter(store, layout, job, SystemClock())
    started = time.perf_counter()
    for number in range(1, N_STEPS + 1):
        assert not reporter.is_cancelled()
        reporter.metrics(step(number))
    reporter.flush()
    step_s = (time.perf_counter() - started) / N_STEPS

    assert step_s < 0.002
    assert len(store.events("j", limit=1_000)) == N_STEPS
    store.close()


def test_the_end_is_predicted_from_the_pace() -> None:
    """Two seconds a step, eight to go."""
    clock = SetClock()
    predict = pace(clock)

    assert predict(step(1, total=10)) is None
    clock.sleep(2)
    assert predict(step(2, total=10)) == 1_018
