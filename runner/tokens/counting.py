"""Counts the tokens of a dataset file: once per content, and several blocks at a time."""

import hashlib
import json
import os
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from runner.dataset.effort import MAX_WORKERS
from runner.dataset.value import DatasetFile
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.examples.confinement import start_confined
from runner.tokens.blocks import Weighed, blocks_of, joined, weigh_block
from runner.tokens.counted import CountingError
from runner.tokens.counters import Counter, EstimateCounter, PackagedCounter, counter_value
from runner.tokens.store import CountStore
from runner.tokens.worker import read_weighed

if TYPE_CHECKING:
    from concurrent.futures import Future

# Below this, a file is counted without another process, where nothing of the model's is run.
SMALL_BYTES = 1 << 20
# From here on another process saves more time than its start takes.
PARALLEL_BYTES = 4 << 20
_START = "import sys; sys.path[:] = sys.argv[2:]; from runner.tokens.worker import main; main()"


def weigh_file(
    path: Path, file: DatasetFile, counter: Counter, store: CountStore, watch: BuildWatch = UNWATCHED
) -> Weighed:
    """Count the tokens of a dataset file, and keep them. Raises CountingError."""
    name = counter.identity
    watch.begin(file.size_bytes, "counting tokens")
    try:
        with Weighing(counter, _n_workers(file.size_bytes, counter)) as weighing:
            weighed = joined(_weighed_blocks(path, weighing, name, store, watch))
    finally:
        watch.end()
    store.keep(name, bytes.fromhex(file.sha256), weighed)
    store.save()
    return weighed


def _n_workers(size_bytes: int, counter: Counter) -> int:
    """How many processes are worth starting; none for little that needs no confinement."""
    if size_bytes < SMALL_BYTES and isinstance(counter, PackagedCounter | EstimateCounter):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if size_bytes < PARALLEL_BYTES else min(cores, MAX_WORKERS)


def _weighed_blocks(
    path: Path, weighing: "Weighing", name: str, store: CountStore, watch: BuildWatch
) -> Iterator[Weighed]:
    """What is known and what is being counted, in the order of the blocks."""
    pending: deque[tuple[bytes, int, Weighed | Future[Weighed]]] = deque()

    def finished() -> Weighed:
        digest, size_bytes, found = pending.popleft()
        if isinstance(found, Weighed):
            weighed = found
        else:
            weighed = found.result()
            store.keep(name, digest, weighed)
        watch.advance(len(weighed.lengths), size_bytes)
        return weighed

    for block in blocks_of(path):
        digest = hashlib.sha256(block).digest()
        pending.append((digest, len(block), store.find(name, digest) or weighing.submit(block)))
        if len(pending) > weighing.ahead:
            yield finished()
    while pending:
        yield finished()


class Weighing:
    """Processes that weigh blocks, started with the first block; with none of them it is done right here."""

    def __init__(self, counter: Counter, n_workers: int) -> None:
        # Files that were counted before need no threads.
        from concurrent.futures import ThreadPoolExecutor

        self.ahead = 2 * n_workers + 1
        self._counter = counter
        self._threads = ThreadPoolExecutor(max(1, n_workers))
        self._n_workers = n_workers
        self._started: list[subprocess.Popen[bytes]] = []
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._weigher = None if n_workers else counter.load()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            process.wait()
            for stream in (process.stdin, process.stdout):
                # What was still to be written has no reader any more.
                with suppress(BrokenPipeError):
                    _pipe(stream).close()

    def submit(self, block: bytes) -> "Future[Weighed]":
        """Have a block weighed."""
        if self._weigher is None and len(self._started) < self._n_workers:
            self._started.append(start_confined(_START, "-", stderr=subprocess.DEVNULL))
            self._idle.put(self._started[-1])
            self._greet(self._started[-1])
        return self._threads.submit(self._weigh, block)

    def _greet(self, process: "subprocess.Popen[bytes]") -> None:
        head = json.dumps(counter_value(self._counter)).encode("ascii") + b"\n"
        with suppress(BrokenPipeError):
            _pipe(process.stdin).write(head)

    def _weigh(self, block: bytes) -> Weighed:
        if self._weigher is not None:
            return weigh_block(block, self._weigher)
        process = self._idle.get()
        try:
            stdin = _pipe(process.stdin)
            stdin.writelines([b"%d\n" % len(block), block])
            stdin.flush()
            return read_weighed(_pipe(process.stdout))
        except (OSError, EOFError, ValueError) as error:
            raise CountingError(
                f"the tokens could not be counted with {self._counter.identity}: the process ended."
            ) from error
        finally:
            self._idle.put(process)


def _pipe(stream: Any) -> Any:
    if stream is None:
        raise AssertionError("BUG: a counting process was started without pipes")
    return stream
