"""Follows a job until it ends, through lost connections and faults of the server."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from runner.clock import Clock
from runner.execution.polling import pause_s
from runner.providers.base import Checkpoint, ConnectionLostError, Event, Job, Provider, ServerFaultError

EVENTS_PER_POLL = 100
# As many as make a curve; hosts send them a hundred at a time.
EVENTS_BEFORE = 2_000
MAX_RECONNECTS = 5
# A job may be reported as succeeded a moment before its model is named; polls to wait for the name.
POLLS_FOR_MODEL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one poll brought: the job as it is, and events not seen before, oldest first.

    The last update of a job also brings its checkpoints.
    """

    job: Job
    events: tuple[Event, ...]
    checkpoints: tuple[Checkpoint, ...] = ()


def follow(connect: Callable[[], Provider], job_id: str, clock: Clock, interval_s: float) -> Iterator[Update]:
    """Poll a job until it is terminal; `connect` is called again when a look brought nothing.

    Raises ConnectionLostError or ServerFaultError after MAX_RECONNECTS such looks in a row.
    """
    watched = _Watched(job_id)
    lost = 0
    while not watched.is_over:
        try:
            with closing(connect()) as provider:
                while not watched.is_over:
                    update = watched.poll(provider)
                    lost = 0
                    yield update
                    if not watched.is_over:
                        clock.sleep(interval_s)
        except (ConnectionLostError, ServerFaultError):
            lost += 1
            if lost > MAX_RECONNECTS:
                raise
            clock.sleep(pause_s(interval_s, lost))


class _Watched:
    """A job being followed: which events were seen, and whether it is over."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.seen: set[str] = set()
        self.nameless_polls = 0
        self.is_over = False

    def poll(self, provider: Provider) -> Update:
        job = provider.retrieve_job(self.job_id)
        fresh = self._fresh(provider, EVENTS_PER_POLL)
        if len(fresh) == EVENTS_PER_POLL:
            # There may be more that nobody saw: the job was joined late, or is faster than the polls.
            fresh = self._fresh(provider, EVENTS_BEFORE)
        checkpoints = tuple(provider.list_checkpoints(self.job_id)) if self._ends(job) else ()
        self.seen.update(event.id for event in fresh)
        self.is_over = self._ends(job)
        self.nameless_polls += _lacks_model(job)
        return Update(job=job, events=fresh, checkpoints=checkpoints)

    def _fresh(self, provider: Provider, limit: int) -> tuple[Event, ...]:
        return tuple(event for event in provider.list_events(self.job_id, limit) if event.id not in self.seen)

    def _ends(self, job: Job) -> bool:
        return job.is_terminal and not (_lacks_model(job) and self.nameless_polls < POLLS_FOR_MODEL)


def _lacks_model(job: Job) -> bool:
    return job.status == "succeeded" and job.fine_tuned_model is None
