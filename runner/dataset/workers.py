"""Several confined processes that make batches of pieces, given back in the order of the pieces."""

import json
import os
import subprocess
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from itertools import count as count_up
from queue import Empty, SimpleQueue
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, Self

from runner.dataset.batch import Batch, read_batch
from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import MAX_WORKERS
from runner.dataset.jobs import Job
from runner.dataset.kept_pieces import KeptPieces
from runner.dataset.tokens import TokenCounter, counter_spec
from runner.errors import InvalidInputError
from runner.examples.confinement import start_confined
from runner.examples.wire import Request, encode_request
from runner.sources.pieces import Piece, UncuttableError

# Below this a second process costs more than it saves: about 20,000 records.
PARALLEL_BYTES = 24 << 20

_START = "import sys; sys.path[:] = sys.argv[2:]; from runner.dataset.worker import main; main()"


class Trouble(Exception):  # noqa: N818
    """Something is not as it should be; reading record by record tells what."""


class RepeatedKeys(Trouble):  # noqa: N818
    """Every record makes its examples, but some very likely have one key."""


def choose_workers(size_bytes: int) -> int:
    """How many processes are worth starting for sources of that size."""
    if size_bytes < PARALLEL_BYTES:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


class Workers:
    """Started one by one as there is work for them, killed at the end of the `with` block."""

    def __init__(
        self,
        request: Request,
        counter: TokenCounter,
        limits: DatasetLimits,
        count: int,
        kept: KeptPieces | None = None,
    ) -> None:
        self._kept = kept
        content = encode_request(request)
        head = {"size": len(content), "counter": counter_spec(counter), "limits": asdict(limits)}
        self._greeting = json.dumps(head).encode("ascii") + b"\n" + content
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []
        self._starting = Lock()
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._starting:
            self._count = 0
            for process in self._processes:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                # What was still to be written has no reader any more.
                with suppress(BrokenPipeError):
                    _pipe(stream).close()

    def batches(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
        """The batches of all jobs in order. Raises Trouble."""
        try:
            yield from self._batches(jobs)
        except (InvalidInputError, UncuttableError, OSError) as error:
            raise Trouble from error

    def _batches(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
        ahead = self._count + 1
        pending: deque[tuple[Job, Future[Batch]]] = deque()
        for job in jobs:
            if job.piece is None:
                yield from self._finished(pending, 0)
                yield from ((job, batch) for batch in self._ask_file(job))
                continue
            pending.append((job, self._threads.submit(self._kept_or_asked, job, job.piece)))
            yield from self._finished(pending, ahead)
        yield from self._finished(pending, 0)

    def _finished(
        self, pending: "deque[tuple[Job, Future[Batch]]]", leave: int
    ) -> Iterator[tuple[Job, Batch]]:
        while len(pending) > leave:
            job, future = pending.popleft()
            yield job, future.result()

    def _kept_or_asked(self, job: Job, piece: Piece) -> Batch:
        if self._kept is None:
            return self._ask(job, piece)
        key = self._kept.key(job, piece)
        batch = self._kept.read(key)
        if batch is None:
            batch = self._ask(job, piece)
            self._kept.write(key, batch)
        return batch

    def _ask(self, job: Job, piece: Piece) -> Batch:
        how = {"how": {"opens": piece.opens, "inside": piece.inside, "n_probes": piece.n_probes}}
        process = self._free()
        try:
            self._send(process, _job_line(job, how, piece), piece.content, piece.proof)
            return _received(process)
        finally:
            self._idle.put(process)

    def _ask_file(self, job: Job) -> Iterator[Batch]:
        """The batches of a whole file; of a shared one each process makes the next in its turn."""
        count = self._count if job.is_shared else 1
        processes = [self._free() for _ in range(count)]
        try:
            for index, process in enumerate(processes):
                self._send(process, _job_line(job, {"path": job.path, "share": [index, count]}, None))
            for turn in count_up():
                batch = _received(processes[turn % count])
                if batch.is_end:
                    break
                yield batch
            # Where one has no block any more, the others after it have none either.
            for other in range(turn + 1, turn + count):
                if not _received(processes[other % count]).is_end:
                    raise Trouble
        finally:
            for process in processes:
                self._idle.put(process)

    def _free(self) -> "subprocess.Popen[bytes]":
        """A process with nothing to do: one that waits, a new one, or else the first that is done."""
        with suppress(Empty):
            return self._idle.get_nowait()
        with self._starting:
            if len(self._processes) < self._count:
                process = start_confined(_START, "-", stderr=subprocess.DEVNULL)
                self._processes.append(process)
                self._send(process, self._greeting)
                return process
            if not self._processes:
                # The end came before the start.
                raise Trouble
        return self._idle.get()

    def _send(self, process: "subprocess.Popen[bytes]", *contents: bytes) -> None:
        stdin = _pipe(process.stdin)
        try:
            stdin.writelines(contents)
            stdin.flush()
        except (BrokenPipeError, ValueError):
            # It ended, or is being ended because another one did.
            raise Trouble from None


def _job_line(job: Job, how: dict[str, Any], piece: Piece | None) -> bytes:
    line: dict[str, Any] = {"piece": job.number, "source": job.source, "file": job.file}
    line["sizes"] = [len(piece.content), len(piece.proof)] if piece else [0, 0]
    return json.dumps(line | how).encode("ascii") + b"\n"


def _received(process: "subprocess.Popen[bytes]") -> Batch:
    try:
        batch = read_batch(_pipe(process.stdout))
    except EOFError:
        raise Trouble from None
    if batch is None:
        raise Trouble
    return batch


def _pipe(stream: Any) -> BinaryIO:
    if stream is None:
        raise AssertionError("BUG: a worker was started without pipes")
    result: BinaryIO = stream
    return result
