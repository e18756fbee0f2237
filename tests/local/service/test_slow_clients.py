"""Connections that say nothing do not stay for ever."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from runner.local.service.slow_clients import REQUEST_WAIT_S, SlowClients


@dataclass(eq=False)
class Connection:
    """One of uvicorn's; a request is done, or not, or has not begun."""

    cycle: Any = None
    n_closed: int = 0
    transport: Any = field(init=False)

    def __post_init__(self) -> None:
        self.transport = SimpleNamespace(close=self._close)

    def _close(self) -> None:
        self.n_closed += 1


def test_a_connection_without_a_request_is_closed_and_one_at_work_is_not() -> None:
    silent, between = Connection(), Connection(cycle=SimpleNamespace(response_complete=True))
    at_work = Connection(cycle=SimpleNamespace(response_complete=False))
    everyone, slow = [silent, between, at_work], SlowClients()
    slow.close_waiting(everyone, 0.0)
    slow.close_waiting(everyone, REQUEST_WAIT_S)
    assert [0, 0, 0] == [item.n_closed for item in everyone]

    slow.close_waiting(everyone, REQUEST_WAIT_S + 1)
    assert [1, 1, 0] == [item.n_closed for item in everyone]


def test_the_wait_begins_anew_after_a_request() -> None:
    connection, slow = Connection(), SlowClients()
    slow.close_waiting([connection], 0.0)
    connection.cycle = SimpleNamespace(response_complete=False)
    slow.close_waiting([connection], 50.0)
    connection.cycle.response_complete = True
    slow.close_waiting([connection], 70.0)

    assert 0 == connection.n_closed
