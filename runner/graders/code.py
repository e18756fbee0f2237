"""Runs Python graders, each in a process with the hosted service's limits."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.graders.template import Sample

PROCESS = Path(__file__).with_name("code_process.py")
MAX_RESULT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLimits:
    """What a grader may use: two minutes, 2 GB of memory, 1 GB of disk, no network.

    The limits that Azure documents for the same graders (2026-11).
    """

    seconds: int = 120
    memory_bytes: int = 2 << 30
    disk_bytes: int = 1 << 30


class CodeError(Exception):
    """A grader's code failed; the text is what it raised."""


class CodeKilledError(Exception):
    """A grader's process ended without a result; the text says why."""


def run_code(source: str, sample: Sample, item: Mapping[str, Any], limits: CodeLimits | None = None) -> float:
    """Run `grade(sample, item)` of a source. Raises CodeError and CodeKilledError."""
    limits = limits or CodeLimits()
    request = {
        "source": source,
        "sample": sample.values,
        "item": dict(item),
        "limits": {
            "seconds": limits.seconds,
            "memory_bytes": limits.memory_bytes,
            "disk_bytes": limits.disk_bytes,
        },
    }
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        line = _run(json.dumps(request).encode(), folder, limits)
    result = json.loads(line)
    if "error" in result:
        raise CodeError(result["error"])
    return float(result["score"])


def _run(request: bytes, folder: str, limits: CodeLimits) -> bytes:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as results:
        try:
            process = _start(writing, folder)
        finally:
            os.close(writing)
        try:
            process.communicate(request, timeout=limits.seconds)
        except subprocess.TimeoutExpired as error:
            raise CodeKilledError(f"it took longer than {limits.seconds} s") from error
        finally:
            # Whatever it may have started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        line = results.read(MAX_RESULT_BYTES)
    if not line:
        raise CodeKilledError(_reason(process.returncode, limits))
    return line


def _start(writing: int, folder: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", "-B", "-X", "utf8", str(PROCESS), str(writing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={},
        pass_fds=(writing,),
        start_new_session=True,
    )


def _reason(code: int, limits: CodeLimits) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"it used more than {limits.seconds} s of processor time or too much memory"
    return f"its process ended with status {code}"
