"""What every route of the service works with."""

from dataclasses import dataclass

from starlette.requests import Request

from runner.clock import Clock
from runner.local.inference import Inference
from runner.local.layout import Layout
from runner.local.store import Store
from runner.local.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service; `allow_network` lets every job fetch models from the hub."""

    layout: Layout
    store: Store
    supervisor: Supervisor
    inference: Inference
    clock: Clock
    allow_network: bool

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock.now())


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def idempotency_key(request: Request) -> str | None:
    """What the client calls a create, so that repeating it gives the same object."""
    return request.headers.get("idempotency-key") or None
