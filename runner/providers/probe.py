"""What was seen of a machine or a host."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` says what to do about it."""

    name: str
    state: State
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a host's entry says that it can do, and what was seen; None where that is not known."""

    name: str
    claimed: bool | None
    seen: bool | None
    detail: str = ""

    @property
    def differs(self) -> bool:
        """Whether the entry is wrong."""
        return None not in (self.claimed, self.seen) and self.claimed != self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """All that was seen of a host."""

    findings: tuple[Finding, ...]
    capabilities: tuple[Capability, ...]
