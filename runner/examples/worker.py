"""The confined process: reads a request, writes examples and issues, and owns nothing worth taking."""

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from runner.examples.read import Watch, read_examples, read_given
from runner.examples.wire import END, Bounds, Position, decode_request, encode_item
from runner.issues import Issue
from runner.sources.base import Record


def main() -> None:
    """Serve one request: the first argument is the descriptor of the shared position."""
    # A parent that went away ends this process at its next write, not with a traceback.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    request = decode_request(sys.stdin.buffer.read())
    confine(request.bounds)
    watch = make_watch(Position(int(sys.argv[1])), request.bounds)
    out = own_stdout()
    what = (request.recipe, request.folder, request.project)
    given = request.records
    items = read_examples(*what, watch=watch) if given is None else read_given(*what, given, watch=watch)
    for item in items:
        if request.only_issues and not isinstance(item, Issue):
            continue
        out.write(encode_item(item, with_fields=request.with_fields))
    out.write(END)
    out.flush()


def own_stdout() -> BinaryIO:
    """The standard output for this process's answers alone: what a library prints goes nowhere."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return out


def confine(bounds: Bounds) -> None:
    """Give up memory beyond the bounds, core dumps and the writing of files, for good."""
    _limit(resource.RLIMIT_CORE, 0)
    # Pipes are not files for this limit, and no file grows by writing to shared memory.
    _limit(resource.RLIMIT_FSIZE, 0)
    in_use = _address_space_bytes()
    if in_use:
        _limit(resource.RLIMIT_AS, in_use + bounds.memory_bytes)


def make_watch(position: Position, bounds: Bounds) -> Watch:
    """Note every record and start its time again; without a handler the signal ends C code as well.

    Processor time, not real time: a parent that reads slowly must not look like a slow record.
    """
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    signal.setitimer(signal.ITIMER_PROF, bounds.read_s)

    def watch(what: Record | str | None) -> None:
        position.note(what)
        is_record = isinstance(what, Record)
        signal.setitimer(signal.ITIMER_PROF, bounds.record_s if is_record else bounds.read_s)

    return watch


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # macOS knows the limit on memory but does not let it be set.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, value))


def _address_space_bytes() -> int:
    """What the process has mapped already; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main()
