"""What the confined process of a build may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the confined process may use; seconds are of processor time, so that waiting costs nothing."""

    memory_bytes: int = 1 << 30
    record_s: float = 10.0
    read_s: float = 600.0
