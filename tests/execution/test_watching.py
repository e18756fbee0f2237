"""Following a job through lost connections."""

import pytest

from runner.errors import ProviderError
from runner.execution.watching import MAX_RECONNECTS, follow
from runner.providers.base import ConnectionLostError, Event, Job, JobRequest, ServerFaultError
from tests.fakes import MemoryProvider, StillClock

REQUEST = JobRequest(
    key="k",
    model="tiny-1",
    method="supervised",
    training_file="file-1",
    validation_file=None,
    hyperparameters={},
    seed=1,
    suffix=None,
    recipe="faq",
)


def watched(provider: MemoryProvider, clock: StillClock) -> list[tuple[str, int]]:
    job = provider.create_job(REQUEST)
    updates = follow(lambda: provider, job.id, clock, 5.0)
    return [(update.job.status, len(update.events)) for update in updates]


def test_a_job_is_followed_to_its_end_and_events_come_once() -> None:
    provider = MemoryProvider(statuses=["queued", "running", "paused", "succeeded"])
    clock = StillClock()

    assert [("queued", 1), ("running", 0), ("paused", 0), ("succeeded", 0)] == watched(provider, clock)
    assert [5.0, 5.0, 5.0] == clock.waited


class Busy(MemoryProvider):
    """Has 180 more events at every look at the job."""

    n_events = 0

    def list_events(self, job_id: str, limit: int) -> list[Event]:
        """The latest events."""
        last = range(max(0, self.n_events - limit), self.n_events)
        return [Event(id=f"ftevent-{n}", created_at=n, level="info", message=f"Step {n}") for n in last]

    def retrieve_job(self, job_id: str) -> Job:
        """A look at the job."""
        self.n_events += 180
        return super().retrieve_job(job_id)


def test_a_job_that_is_joined_late_or_is_fast_loses_no_event() -> None:
    provider = Busy(statuses=["running", "succeeded"])

    assert [("running", 180), ("succeeded", 180)] == watched(provider, StillClock())


@pytest.mark.parametrize("fault", [ConnectionLostError, ServerFaultError])
def test_lost_looks_are_waited_out(fault: type[ProviderError]) -> None:
    clock = StillClock()

    assert [("succeeded", 1)] == watched(MemoryProvider(lost_reads=3, read_fault=fault), clock)
    assert [10.0, 20.0, 40.0] == clock.waited


@pytest.mark.parametrize("fault", [ConnectionLostError, ServerFaultError])
def test_a_provider_that_stays_away_is_given_up(fault: type[ProviderError]) -> None:
    with pytest.raises(fault):
        watched(MemoryProvider(lost_reads=MAX_RECONNECTS + 1, read_fault=fault), StillClock())


def test_a_refusal_ends_the_following() -> None:
    with pytest.raises(ProviderError, match="memory cannot be reached"):
        watched(MemoryProvider(lost_reads=1, read_fault=ProviderError), StillClock())
