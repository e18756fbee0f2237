"""Runs one Python grader in a process of its own; it is started by path and imports nothing of ours.

The request is JSON on standard input, the result one line of JSON on the descriptor of the first argument.
The limits bound an honest mistake. They are no wall against hostile code, which runs as this user: that is
why nobody but the operator can allow code.
"""

import contextlib
import ctypes
import json
import math
import os
import resource
import sys
import traceback
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
MAX_DETAILS = 2000
BLOCKED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system")


def main() -> None:
    """Grade one answer."""
    output = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    request = json.loads(sys.stdin.buffer.read())
    _confine(request["limits"])
    try:
        result: dict[str, Any] = {"score": _grade(request)}
    except BaseException as error:  # noqa: BLE001 - whatever a grader raises is its result
        details = "".join(traceback.format_exception_only(error)).strip()
        result = {"error": details[:MAX_DETAILS]}
    json.dump(result, output)
    output.close()


def _grade(request: dict[str, Any]) -> float:
    names: dict[str, Any] = {"__name__": "grader"}
    exec(compile(request["source"], "<grader>", "exec"), names)  # noqa: S102 - what the operator allowed
    if not callable(names.get("grade")):
        raise TypeError("the source defines no function grade(sample, item)")
    score = names["grade"](request["sample"], request["item"])
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise TypeError(f"grade returned {score!r}, expected a number")
    return float(score)


def _confine(limits: dict[str, int]) -> None:
    _leave_network()
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))
    sys.addaudithook(_refuse)


def _leave_network() -> None:
    """Move into a network of its own, with nobody in it; some systems do not allow that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if event.startswith(BLOCKED):
        raise PermissionError(f"graders may not use {event}")


if __name__ == "__main__":
    main()
