"""Makes the batches of a build as Ray Data jobs on a cluster, given back in the order of the pieces."""

import logging
import os
import re
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from runner.dataset.batch import Batch, read_batch
from runner.dataset.jobs import Job
from runner.dataset.ray_task import make_batches, piece_row
from runner.dataset.workers import Trouble, Workers
from runner.display import one_line
from runner.errors import InvalidInputError, RunnerError
from runner.sources.pieces import UncuttableError

# So many pieces, of about a megabyte each, make one job of the cluster: what is sent, and not yet back, is
# all that memory has to hold.
JOB_PIECES = 128
KNOCK_S = 10.0


class RayWorkers:
    """Takes the place of `Workers`; files that cannot be cut are read by those `here`.

    Raises RunnerError where Ray is not installed or the cluster fails.
    """

    def __init__(self, address: str, order: bytes, here: Workers) -> None:
        self._address = address
        self._order = order
        self._here = here

    def __enter__(self) -> Self:
        self._ray = _import_ray()
        self._was_open = self._ray.is_initialized()
        if not self._was_open:
            alone = {"include_dashboard": False} if self._address == "local" else {}
            try:
                _knock(self._address)
                self._ray.init(self._address, log_to_driver=False, logging_level=logging.ERROR, **alone)
            except (OSError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
                raise self._failure(error) from error
        context = self._ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._was_open:
            self._ray.shutdown()

    def batches(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
        """The batches of all jobs in order. Raises Trouble and RunnerError."""
        try:
            for is_cut, some in groupby(jobs, lambda job: job.piece is not None):
                make = self._cut if is_cut else self._here.batches
                yield from make(some)
        except (InvalidInputError, UncuttableError, OSError) as error:
            raise Trouble from error

    def _cut(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
        while some := _first(jobs, JOB_PIECES):
            for job, made in zip(some, self._made(some), strict=True):
                batch = read_batch(BytesIO(made))
                if batch is None:
                    raise Trouble
                yield job, batch

    def _made(self, jobs: Sequence[Job]) -> Iterator[bytes]:
        import pyarrow as pa

        tables = [pa.Table.from_pylist([piece_row(job, job.piece)]) for job in jobs if job.piece]
        pieces = self._ray.data.from_arrow(tables)
        made = pieces.map_batches(
            partial(make_batches, order=self._order), batch_format="pyarrow", batch_size=None, num_cpus=1
        )
        try:
            for row in made.iter_rows():
                yield row["made"]
        except self._ray.exceptions.RayError as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> RunnerError:
        """What happened on the cluster, in one line: the last of a traceback names the cause."""
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        reason = one_line(lines[-1] if lines else type(error).__name__, limit=300).rstrip(".")
        return RunnerError(
            f"{one_line(self._address)}: the build on Ray failed: {reason}. "
            "Correct the cluster, or build without --ray."
        )


def _first(jobs: Iterator[Job], count: int) -> list[Job]:
    return [job for _, job in zip(range(count), jobs, strict=False)]


def _knock(address: str) -> None:
    """Find out in seconds what Ray takes minutes for. Raises OSError where nobody answers."""
    found = re.fullmatch(r"([^/:]+):(\d{1,5})", address)
    if found:
        socket.create_connection((found[1], int(found[2])), timeout=KNOCK_S).close()


def _import_ray() -> Any:
    missing = [name for name in ("ray", "pyarrow") if find_spec(name) is None]
    if missing:
        raise RunnerError(
            f"found no package {missing[0]}, which builds on a cluster. "
            "Install it: pip install 'finetune-runner[ray]'"
        )
    # Ray tells its makers how it is used unless it is told not to, before it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data

    return ray
