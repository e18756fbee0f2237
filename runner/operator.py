"""What the person at the keyboard decides, which no recipe can."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from runner.clock import Clock, SystemClock
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
    allow_unknown_price: bool = False
    retry: bool = False
    locked: bool = False
    max_cost_usd: float | None = None
    webhook: str | None = None
    clock: Clock = field(default_factory=SystemClock)


def today_of(operator: Operator) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(operator.clock.now(), tz=UTC).date()
