"""Time as a value that is passed in, so that waiting can be tested without waiting."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may know about time; seconds."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
