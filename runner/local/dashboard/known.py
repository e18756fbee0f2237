"""Jobs that the project's lockfiles name, wherever they run, as someone who can read lockfiles told them.

What their hosts say is told by someone who has their keys; the service asks nobody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from runner.local.rows import CheckpointRow, EventRow, Level

MAX_JOBS = 1_000
MAX_CHARACTERS = 300
MAX_MESSAGE_CHARACTERS = 2_000
MAX_EVENTS = 1_000
MAX_CHECKPOINTS = 100
# Dates and charts end here: seconds beyond the year 5000.
MAX_NUMBER = 100_000_000_000
# How long a look into the lockfiles holds.
FRESH_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """What a lockfile says of a job; its price is as planned until the host told `trained_tokens`."""

    id: str
    recipe: str = ""
    run: str = ""
    provider: str = ""
    status: str = ""
    model: str = ""
    fine_tuned_model: str = ""
    price: str = ""
    arithmetic: str = ""
    trained_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a job's host said last, `asked_at` by the service's clock; events newest first.

    There is a price once the host told how many tokens it trained. `trouble` says why it could not be asked
    since then.
    """

    asked_at: float | None = None
    status: str = ""
    fine_tuned_model: str = ""
    error: str = ""
    trouble: str = ""
    trained_tokens: int | None = None
    created_at: int | None = None
    finished_at: int | None = None
    price: str = ""
    arithmetic: str = ""
    events: tuple[EventRow, ...] = ()
    checkpoints: tuple[CheckpointRow, ...] = ()


@dataclass(slots=True)
class KnownJobs:
    """What was told last, or is asked of `read` now and then; `news` by the IDs of jobs."""

    read: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    told: dict[str, KnownJob] = field(default_factory=dict)
    news: dict[str, News] = field(default_factory=dict)
    at: float = -FRESH_S

    def take(self, values: Iterable[Any]) -> None:
        """Keep what was told, in place of what was known."""
        found = [_known(value) for value in list(values)[:MAX_JOBS] if isinstance(value, Mapping)]
        self.told = {job.id: job for job in found if job.id}

    def learn(self, values: Iterable[Any], now: float) -> None:
        """Keep what hosts said; of one that could not be asked, what it said before."""
        for value in list(values)[:MAX_JOBS]:
            if not isinstance(value, Mapping) or not value.get("id"):
                continue
            job_id, trouble = _text(value, "id"), _text(value, "trouble", MAX_MESSAGE_CHARACTERS)
            before = self.news.pop(job_id, News())
            self.news[job_id] = replace(before, trouble=trouble) if trouble else _news(job_id, value, now)
        for job_id in list(self.news)[:-MAX_JOBS]:
            del self.news[job_id]

    def jobs(self, now: float) -> dict[str, KnownJob]:
        """The known jobs by ID."""
        if self.read is not None and now - self.at >= FRESH_S:
            self.at = now
            self.take(self.read())
        return self.told


def _known(value: Mapping[str, Any]) -> KnownJob:
    texts = [item.name for item in fields(KnownJob) if item.name != "trained_tokens"]
    told = {name: _text(value, name) for name in texts}
    return KnownJob(**told, trained_tokens=_number(value, "trained_tokens"))


def _news(job_id: str, value: Mapping[str, Any], now: float) -> News:
    rows = [_event(job_id, number, item) for number, item in enumerate(_last(value, "events", MAX_EVENTS))]
    kept = [_checkpoint(job_id, item) for item in _last(value, "checkpoints", MAX_CHECKPOINTS)]
    return News(
        asked_at=now,
        status=_text(value, "status"),
        fine_tuned_model=_text(value, "fine_tuned_model"),
        error=_text(value, "error", MAX_MESSAGE_CHARACTERS),
        trained_tokens=_number(value, "trained_tokens"),
        created_at=_number(value, "created_at"),
        finished_at=_number(value, "finished_at"),
        price=_text(value, "price"),
        arithmetic=_text(value, "arithmetic"),
        events=tuple(reversed(rows)),
        checkpoints=tuple(kept),
    )


def _last(value: Mapping[str, Any], name: str, limit: int) -> list[Mapping[str, Any]]:
    """The last objects of a list, where there is one."""
    found = value.get(name)
    return [item for item in found if isinstance(item, Mapping)][-limit:] if isinstance(found, list) else []


def _event(job_id: str, number: int, value: Mapping[str, Any]) -> EventRow:
    told = _text(value, "level")
    level: Level = "error" if told == "error" else "warn" if told == "warn" else "info"
    return EventRow(
        id=f"{job_id}-{number}",
        job_id=job_id,
        created_at=_number(value, "created_at") or 0,
        level=level,
        message=_text(value, "message", MAX_MESSAGE_CHARACTERS),
        type="metrics" if value.get("type") == "metrics" else "message",
        data=_numbers(value.get("data")),
    )


def _checkpoint(job_id: str, value: Mapping[str, Any]) -> CheckpointRow:
    model = _text(value, "model")
    return CheckpointRow(
        id=model,
        job_id=job_id,
        created_at=0,
        step=_number(value, "step") or 0,
        model=model,
        metrics=_numbers(value.get("metrics")),
    )


def _text(value: Mapping[str, Any], name: str, limit: int = MAX_CHARACTERS) -> str:
    return str(value.get(name) or "")[:limit]


def _number(value: Mapping[str, Any], name: str) -> int | None:
    """A count, or seconds since the epoch; None for anything else, milliseconds among it."""
    found = value.get(name)
    is_count = isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MAX_NUMBER
    return found if is_count else None


def _numbers(data: Any) -> dict[str, int | float]:
    """What a chart can draw of the numbers of a metrics event."""
    values = data.items() if isinstance(data, Mapping) else ()
    return {
        str(name): value
        for name, value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER
    }
