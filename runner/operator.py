"""What the person at the keyboard decides, which no recipe can."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from runner.clock import Clock, SystemClock
from runner.dataset.effort import MAX_KEPT_BYTES, Effort
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.project import Grants
from runner.providers.permission import HostPermission
from runner.recipe.composition import DEFAULT_PROFILE


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What the person at the keyboard decides, which no recipe can: keys, network, profile, spending."""

    environment: Mapping[str, str] = field(default_factory=dict)
    user_hosts: Path | None = None
    hosts_allowed: HostPermission = HostPermission()
    profile: str = DEFAULT_PROFILE
    assignments: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    allow_network: bool = False
    allow_code: bool = False
    grants: Grants = Grants()
    say: Callable[[str], None] = lambda _: None
    watch: BuildWatch = UNWATCHED
    max_kept_bytes: int = MAX_KEPT_BYTES
    allow_unknown_price: bool = False
    retry: bool = False
    locked: bool = False
    max_cost_usd: float | None = None
    webhook: str | None = None
    clock: Clock = field(default_factory=SystemClock)

    @property
    def effort(self) -> Effort:
        """How datasets are built."""
        return Effort(watch=self.watch, max_kept_bytes=self.max_kept_bytes)


def today_of(operator: Operator) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(operator.clock.now(), tz=UTC).date()
