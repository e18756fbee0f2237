"""What every route of the service works with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from runner.clock import Clock
from runner.errors import RunnerError
from runner.local.dashboard.entry import Entry
from runner.local.dashboard.known import KnownJobs
from runner.local.inference import Inference
from runner.local.layout import Layout
from runner.local.rows import BatchRow, JobRow
from runner.local.service.refusals import invalid
from runner.local.store import Store
from runner.local.supervisor import Supervisor

MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service.

    `allow_network` lets every job fetch models from the hub, `allow_code` lets graders run Python, and with
    `trusts_clients` what a client allows a job is allowed: such a service is its user's own.
    `batch_wake` is set when there is something to do for the batches. `alias_of` gives the model that a name
    stands for, None for a name that is no alias, and raises RunnerError. The dashboard lets in whom `entry`
    knows, and shows the jobs that are `known` besides the service's own.
    """

    layout: Layout
    store: Store
    supervisor: Supervisor
    inference: Inference
    clock: Clock
    allow_network: bool
    allow_code: bool = False
    trusts_clients: bool = False
    alias_of: Callable[[str], str | None] = lambda _: None
    batch_wake: asyncio.Event = field(default_factory=asyncio.Event)
    entry: Entry = field(default_factory=Entry)
    known: KnownJobs = field(default_factory=KnownJobs)

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock.now())

    def model_called(self, name: str) -> str:
        """The model that a name or an alias stands for. Raises ApiError where the aliases cannot be read."""
        try:
            return self.alias_of(name) or name
        except RunnerError as error:
            raise invalid(str(error), "model", "invalid_value") from error

    def user_of_file(self, file_id: str) -> JobRow | BatchRow | None:
        """The job or batch that still needs a file."""
        for job in self.store.unfinished_jobs():
            if file_id in (job.training_file, job.validation_file):
                return job
        batches = self.store.live_batches()
        return next((batch for batch in batches if batch.input_file_id == file_id), None)


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def idempotency_key(request: Request) -> str | None:
    """What the client calls a create, so that repeating it gives the same object. Raises ApiError.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """
    key = request.headers.get("idempotency-key") or None
    if key is not None and len(key) > MAX_KEY_CHARACTERS:
        message = f"The Idempotency-Key has {len(key)} characters; at most {MAX_KEY_CHARACTERS} are allowed."
        raise invalid(message, "Idempotency-Key", "invalid_value")
    return key
