"""Follows a job until it ends, through lost connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runner.clock import Clock
from runner.providers.base import ConnectionLostError, Event, Job, Provider

EVENTS_PER_POLL = 100
MAX_RECONNECTS = 5
# A job may be reported as succeeded a moment before its model is named; polls to wait for the name.
POLLS_FOR_MODEL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one poll brought: the job as it is, and events not seen before, oldest first."""

    job: Job
    events: tuple[Event, ...]


def follow(connect: Callable[[], Provider], job_id: str, clock: Clock, interval_s: float) -> Iterator[Update]:
    """Poll a job until it is terminal; `connect` is called again when the connection is lost.

    Raises ConnectionLostError after MAX_RECONNECTS lost connections in a row.
    """
    provider = connect()
    seen: set[str] = set()
    lost = polls_without_model = 0
    while True:
        try:
            job = provider.retrieve_job(job_id)
            events = provider.list_events(job_id, EVENTS_PER_POLL)
        except ConnectionLostError:
            lost += 1
            if lost > MAX_RECONNECTS:
                raise
            clock.sleep(interval_s * 2**lost)
            provider = connect()
            continue
        lost = 0
        fresh = tuple(event for event in events if event.id not in seen)
        seen.update(event.id for event in fresh)
        yield Update(job=job, events=fresh)
        nameless = job.status == "succeeded" and job.fine_tuned_model is None
        if job.is_terminal and not (nameless and polls_without_model < POLLS_FOR_MODEL):
            return
        polls_without_model += nameless
        clock.sleep(interval_s)
