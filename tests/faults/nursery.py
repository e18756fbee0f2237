"""Runs commands in forked children that kill themselves at a chosen step; `python -m tests.faults.nursery`.

Everything is imported once, so a child costs a fork. One JSON line in, one JSON line out.
"""

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from functools import partial, wraps
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import openai
import openai._base_client as sdk

from runner import canonical, clock
from runner.cli import rerun  # noqa: F401 - imported once, for all children
from runner.cli.main import run
from runner.execution import history, parts
from runner.execution.journal import Journal
from runner.execution.parts import Ledger
from runner.running import state
from tests.fake_host import KEY

TIMEOUT_S = 0.4
HANG_S = 20.0
# The training file of the small project is four of these, the validation file two.
PART_BYTES, AT_A_TIME = 300, 2


@dataclass(frozen=True, kw_only=True)
class Child:
    """One command to run in a folder; `kill_at` counts the steps of the trace, from 0.

    The first one does not fork: it warms what its children inherit.
    """

    folder: str
    config: str
    arguments: list[str] = field(default_factory=lambda: ["run", "faq.yaml", "--yes"])
    kill_at: int | None = None
    forks: bool = True


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child ended: its exit code or minus the signal, what it wrote, and the steps it came through."""

    code: int
    output: str
    trace: list[str]


class Steps:
    """Counts what a run does to the disk and the host, and kills it before or after one of these."""

    def __init__(self, kill_at: int | None, trace: int) -> None:
        self.kill_at = kill_at
        self.trace = trace
        self.count = 0

    def step(self, name: str) -> None:
        """Pass a step, or die."""
        os.write(self.trace, f"{name}\n".encode())
        if self.is_next():
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def is_next(self) -> bool:
        """Whether the process dies at the step it comes to."""
        return self.count == self.kill_at

    def around(self, call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        """The same call with a step before and one after."""

        @wraps(call)
        def stepped(*arguments: Any, **options: Any) -> Any:
            text = name(*arguments)
            self.step(f"before {text}")
            answer = call(*arguments, **options)
            self.step(f"after {text}")
            return answer

        return stepped

    def appending(self, append: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        """As `around`, for a file of lines, with one more step at which half of the line is on disk."""
        append = self.around(append, name)

        def half_written(lines: Journal | Ledger, entry: dict[str, Any]) -> None:
            if self.is_next():
                lines.path.parent.mkdir(parents=True, exist_ok=True)
                with lines.path.open("ab") as stream:
                    line = canonical.canonical_json(entry)
                    stream.write(b"\n" + line[: len(line) // 2])
            self.step(f"inside {name(lines, entry)}")
            append(lines, entry)

        return half_written


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        children = [Child(**child) for child in json.loads(line)]
        started = [_start(child) for child in children if child.forks]
        answer = [asdict(_ended(*child)) for child in started]
        answer += [asdict(_warmed(child)) for child in children if not child.forks]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _warmed(child: Child) -> Ended:
    environment = dict(os.environ)
    with redirect_stdout(StringIO()) as output, redirect_stderr(output):
        _enter(child)
        code = run(child.arguments)
    os.environ.clear()
    os.environ.update(environment)
    # What is there now is shared with all children; looking through it for garbage would copy it.
    gc.freeze()
    return Ended(code=code, output=output.getvalue(), trace=[])


def _enter(child: Child) -> None:
    os.chdir(child.folder)
    os.environ.update(XDG_CONFIG_HOME=child.config, FAKE_API_KEY=KEY, HOME=child.folder)


def _start(child: Child) -> tuple[int, Path]:
    output = Path(child.folder).with_suffix(".output")
    process = os.fork()
    if process == 0:
        _be(child, output)
    return process, output


def _be(child: Child, output: Path) -> None:
    code = 99
    try:
        os.dup2(os.open(output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), 1)
        os.dup2(1, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _enter(child)
        trace = os.open(output.with_suffix(".trace"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        _instrument(Steps(child.kill_at, trace), child)
        code = run(child.arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _instrument(steps: Steps, child: Child) -> None:
    # Time is short here: no waiting between polls and attempts, and silence ends soon.
    clock.SystemClock.sleep = lambda self, seconds: time.sleep(0.0)  # type: ignore[method-assign]
    sdk.INITIAL_RETRY_DELAY = 0.0  # type: ignore[attr-defined]
    openai.OpenAI = partial(openai.OpenAI, timeout=TIMEOUT_S)  # type: ignore[misc,assignment]
    Journal._append = steps.appending(Journal._append, _entry_text)  # type: ignore[method-assign]
    Ledger._append = steps.appending(Ledger._append, _part_text)  # type: ignore[method-assign]
    parts.PART_BYTES, parts.AT_A_TIME = PART_BYTES, AT_A_TIME
    canonical.Path = _stepping_path(steps)  # type: ignore[attr-defined]
    history.append_durably = steps.around(  # type: ignore[attr-defined]
        history.append_durably,  # type: ignore[attr-defined]
        lambda path, _: "history",
    )
    state.write_lockfile = steps.around(  # type: ignore[attr-defined]
        state.write_lockfile,  # type: ignore[attr-defined]
        lambda path, _: f"lock {path.name}",
    )
    httpx2.Client.send = steps.around(  # type: ignore[method-assign]
        httpx2.Client.send, lambda _, request: f"{request.method} {request.url.path.removeprefix('/v1')}"
    )


def _stepping_path(steps: Steps) -> type[Path]:
    class SteppingPath(type(Path())):  # type: ignore[misc]
        def replace(self, target: Any) -> Any:
            steps.step(f"before renaming to {Path(target).name}")
            return super().replace(target)

    return SteppingPath


def _entry_text(_: Journal, entry: dict[str, Any]) -> str:
    return f"journal {entry['state']} {entry['kind']}"


def _part_text(_: Ledger, entry: dict[str, Any]) -> str:
    return f"ledger {entry.get('upload', 'given up')} part {entry.get('part', 'none')}"


def _ended(process: int, output: Path) -> Ended:
    deadline = time.monotonic() + HANG_S
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            break
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return Ended(code=-99, output="it hung", trace=[])
        time.sleep(0.001)
    trace = output.with_suffix(".trace")
    return Ended(
        code=os.waitstatus_to_exitcode(status),
        output=output.read_text(errors="replace"),
        trace=trace.read_text().splitlines() if trace.exists() else [],
    )


if __name__ == "__main__":
    main()
