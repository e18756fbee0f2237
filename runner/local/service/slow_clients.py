"""Closes connections on which no request arrives, for which the server itself would wait for ever."""

from collections.abc import Iterable
from typing import Any

REQUEST_WAIT_S = 60.0


class SlowClients:
    """Remembers since when connections of uvicorn have had no whole request.

    One that sends its headers byte by byte waits as long as a silent one.
    """

    def __init__(self) -> None:
        self._since: dict[Any, float] = {}

    def close_waiting(self, connections: Iterable[Any], now_s: float) -> None:
        """Close those that have waited longer than REQUEST_WAIT_S."""
        waiting = [item for item in connections if item.cycle is None or item.cycle.response_complete]
        self._since = {item: self._since.get(item, now_s) for item in waiting}
        for item, since_s in self._since.items():
            if now_s - since_s > REQUEST_WAIT_S:
                item.transport.close()
