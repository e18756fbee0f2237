"""Jobs that the project's lockfiles name, wherever they run, as someone who can read lockfiles told them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

MAX_JOBS = 1_000
MAX_CHARACTERS = 300
# How long a look into the lockfiles holds.
FRESH_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """What a lockfile says of a job."""

    id: str
    recipe: str = ""
    run: str = ""
    provider: str = ""
    status: str = ""
    model: str = ""
    fine_tuned_model: str = ""


@dataclass(slots=True)
class KnownJobs:
    """What was told last, or is asked of `read` now and then."""

    read: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    told: dict[str, KnownJob] = field(default_factory=dict)
    at: float = -FRESH_S

    def take(self, values: Iterable[Any]) -> None:
        """Keep what was told, in place of what was known."""
        names = [item.name for item in fields(KnownJob)]
        found = [
            KnownJob(**{name: str(value.get(name) or "")[:MAX_CHARACTERS] for name in names})
            for value in list(values)[:MAX_JOBS]
            if isinstance(value, Mapping)
        ]
        self.told = {job.id: job for job in found if job.id}

    def jobs(self, now: float) -> dict[str, KnownJob]:
        """The known jobs by ID."""
        if self.read is not None and now - self.at >= FRESH_S:
            self.at = now
            self.take(self.read())
        return self.told
