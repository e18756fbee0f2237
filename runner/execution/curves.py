"""What a job measured on its way, step by step."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.providers.base import Event, Provider

# More than any job has steps here; hosts keep a few thousand.
MAX_EVENTS = 100_000
_NOT_MEASURED = ("step", "total_steps", "epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at an optimiser step; `at` is in seconds since the epoch, by the provider's clock."""

    step: int
    at: int
    value: float


def curves_of(provider: Provider, job_id: str) -> dict[str, tuple[Point, ...]]:
    """The metrics of a job by name, such as `train_loss`, each by step. Raises ProviderError."""
    return curves(provider.list_events(job_id, MAX_EVENTS))


def curves(events: Iterable[Event]) -> dict[str, tuple[Point, ...]]:
    """The metrics among events by name, each by step; what is no number is left out."""
    found: dict[str, dict[int, Point]] = {}
    for event in events:
        step = event.data.get("step")
        if event.type != "metrics" or not _is_number(step):
            continue
        for name, value in event.data.items():
            if name not in _NOT_MEASURED and _is_number(value):
                point = Point(step=int(step or 0), at=event.created_at, value=float(value))
                found.setdefault(name, {})[point.step] = point
    return {name: tuple(points[step] for step in sorted(points)) for name, points in sorted(found.items())}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
