"""Starts the processes that train a job, and says how they ended."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict

from runner.canonical import write_atomically
from runner.local.launcher import Launcher
from runner.local.layout import PACKAGE_ROOT, Layout
from runner.local.rows import JobRow


def start_worker(
    layout: Layout, job: JobRow, module: str, launcher: Launcher, lock: int
) -> subprocess.Popen[bytes]:
    """Start the processes of a job; the first one inherits its lock. Raises OSError."""
    arguments = ["--state", str(layout.state), "--job", job.id, "--processes", str(launcher.n_processes)]
    layout.worker_failure(job.id).unlink(missing_ok=True)
    # What the processes besides the first are to do: only that one opens the state, which is for one machine.
    write_atomically(layout.worker_task(job.id), json.dumps(asdict(job), ensure_ascii=False).encode())
    with layout.worker_log(job.id).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, behind the operator's words
            launcher.command(module, arguments),
            cwd=PACKAGE_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock,),
        )
    with suppress(OSError):
        # A launcher ends its processes when it is told to end.
        layout.worker_pid(job.id).write_text(str(process.pid))
    return process


async def check_files(layout: Layout, job: JobRow, module: str) -> None:
    """Look at the files of a job in a process of its own, and wait for it. Raises OSError."""
    with layout.worker_log(job.id).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *("--state", str(layout.state), "--job", job.id, "--check"),
            cwd=PACKAGE_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    await process.wait()


def stop_worker(layout: Layout, job_id: str, number: signal.Signals) -> None:
    """Send a signal to the process that was started for a job, which is alive. Raises OSError, ValueError."""
    os.kill(int(layout.worker_pid(job_id).read_text()), number)


def left_failure(layout: Layout, job_id: str) -> dict[str, str | None] | None:
    """The error that a process besides the first left when it ended alone; None when there is none."""
    try:
        failure: dict[str, str | None] = json.loads(layout.worker_failure(job_id).read_bytes())
        return failure
    except (OSError, ValueError):
        return None


def describe_exit(role: str, code: int | None, n_processes: int = 1) -> str:
    """Say how a process ended and what to do; a negative `code` is a signal's number, None is unknown."""
    if n_processes > 1:
        return (
            f"One of the {n_processes} {role} processes ended without a result, and the others with it. "
            "Which one and how is at the end of the log; signal 9 (SIGKILL) most often means that memory ran "
            "out: use a smaller batch_size, shorter examples or a smaller model."
        )
    if code is None:
        return f"The {role} process ended without a result."
    if code >= 0:
        return f"The {role} process ended with status {code} and without a result."
    name = signal.Signals(-code).name
    if -code in (signal.SIGKILL, signal.SIGBUS):
        advice = " Most often memory ran out: use a smaller batch_size, shorter examples or a smaller model."
    else:
        advice = ""
    return f"The {role} process was ended by signal {-code} ({name}).{advice}"
