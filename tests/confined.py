"""Starts confined processes as forks of one that has imported what they need: 5 ms instead of 100.

The nursery is started as the runner starts a confined process. It forks a keeper for each one asked for;
that forks the process itself, says its number and, when asked, how it ended. What a command line says
cannot be seen in a fork: tests of that use the fixture `really_started`.
"""

import fcntl
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, Self

from runner.examples.confinement import start_confined

USERS = ("runner.examples.confinement", "runner.dataset.workers", "runner.tokens.counting")
_WORKERS = ("runner.dataset.worker", "runner.examples.worker", "runner.tokens.worker")
_START = (
    f"import sys; sys.path[:] = [{str(Path(__file__).parent.parent)!r}, *sys.argv[2:]]; "
    "from tests.confined import main; main()"
)
_MAX_REQUEST_BYTES, _MAX_DESCRIPTORS = 1 << 16, 8
# Above those that a process expects, so that none is overwritten before it has its own number.
_ASIDE = 500


class Forked:
    """The part of `subprocess.Popen` that is used of a confined process."""

    def __init__(self, streams: dict[int, BinaryIO], keeper: socket.socket) -> None:
        self.stdin, self.stdout, self.stderr = (streams.get(number) for number in range(3))
        self.returncode: int | None = None
        self._keeper = keeper
        self.pid = int(keeper.recv(100))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream is not None:
                stream.close()
        self.wait()

    def kill(self) -> None:
        """End it at once. Its number is its own until `wait` returns."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status, or minus the signal that ended it."""
        if self.returncode is None:
            self._keeper.sendall(b"?")
            self.returncode = int(self._keeper.recv(100))
            self._keeper.close()
        return self.returncode


class Nursery:
    """The process that forks, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control, self._far = socket.socketpair()

    def start(
        self, code: str, argument: str, *, pass_fds: tuple[int, ...] = (), stderr: int = subprocess.PIPE
    ) -> Forked:
        """As `start_confined`."""
        near, told = socket.socketpair()
        pipes = {0: os.pipe(), 1: os.pipe()[::-1]}
        if stderr == subprocess.PIPE:
            pipes[2] = os.pipe()[::-1]
        theirs = {number: pair[0] for number, pair in pipes.items()} | {fd: fd for fd in pass_fds}
        request = {"code": code, "argument": argument, "numbers": list(theirs)}
        streams = {number: os.fdopen(pair[1], "rb" if number else "wb") for number, pair in pipes.items()}
        with self._lock, told:
            self._process = self._process or self._started()
            socket.send_fds(self._control, [json.dumps(request).encode()], [told.fileno(), *theirs.values()])
            told.close()
            for pair in pipes.values():
                os.close(pair[0])
            return Forked(streams, near)

    def _started(self) -> "subprocess.Popen[bytes]":
        number = self._far.fileno()
        process = start_confined(_START, str(number), pass_fds=(number,), stderr=subprocess.DEVNULL)
        self._far.close()
        return process

    def stop(self) -> None:
        """End the process."""
        self._control.close()
        self._far.close()
        if self._process is not None:
            self._process.communicate()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery that is ended in the end."""
    made = Nursery()
    try:
        yield made
    finally:
        made.stop()


def main() -> None:
    """Fork for as long as somebody may ask."""
    for name in _WORKERS:
        import_module(name)
    gc.freeze()
    # Nobody waits for a keeper.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        while True:
            content, descriptors, _, _ = socket.recv_fds(control, _MAX_REQUEST_BYTES, _MAX_DESCRIPTORS)
            if not content:
                return
            if os.fork() == 0:
                control.close()
                _keep(json.loads(content), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def _keep(request: dict[str, Any], told: int, *descriptors: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(told)
        _become(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    with socket.socket(fileno=told) as parent, suppress(BrokenPipeError):
        parent.sendall(b"%d" % process)
        parent.recv(1)
        _, status = os.waitpid(process, 0)
        parent.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: dict[str, Any], descriptors: tuple[int, ...]) -> None:
    aside = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _ASIDE) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    for descriptor, number in zip(aside, request["numbers"], strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv[1] = request["argument"]
    status = 0
    try:
        exec(request["code"], {})
    except BaseException:  # noqa: BLE001 - the end of the process
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    os._exit(status)
