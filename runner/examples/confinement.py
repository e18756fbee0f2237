"""Read examples in a child process that a hostile recipe or record cannot turn against the user."""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import runner
from runner.display import one_line
from runner.examples.read import Example
from runner.examples.wire import END, Bounds, Phase, Position, Request, decode_item, encode_request
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.model import Recipe
from runner.sources.base import Record

# The child finds modules where this process does. An environment variable would put them before the
# standard library, and everything else in the environment is none of its business.
_START = "import sys; sys.path[:] = sys.argv[2:]; from runner.examples.worker import main; main()"
_MAX_STDERR_BYTES = 10_000
# Libraries have their own, such as pyarrow.lib.ArrowMemoryError.
_NO_MEMORY = re.compile(r"[\w.]*MemoryError\b")
# How a process ends that runs into a fault of a library in C or C++; its memory was its own.
_CRASHES = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL, -signal.SIGFPE)


def read_confined(  # noqa: PLR0913 - what a request may say beside the recipe
    recipe: Recipe,
    recipe_folder: Path,
    project: Project,
    *,
    bounds: Bounds | None = None,
    records: tuple[Record, ...] | None = None,
    with_fields: bool = False,
    only_issues: bool = False,
) -> Generator[Example | Issue, None, None]:
    """Yield what `read_examples` does, from a process with bounded memory and time per record.

    `records` are read in the place of the sources; with `only_issues`, examples are made and not given back,
    which is several times as quick. A process that dies yields an issue for the record it
    died on and ends the stream. Closing the iterator ends the process.
    """
    bounds = bounds or Bounds()
    request = Request(
        recipe=recipe,
        folder=recipe_folder.resolve(),
        project=project,
        bounds=bounds,
        records=records,
        with_fields=with_fields,
        only_issues=only_issues,
    )
    with tempfile.TemporaryFile() as shared:
        shared.truncate(Position.SIZE_BYTES)
        with start_confined(_START, str(shared.fileno()), pass_fds=(shared.fileno(),)) as process:
            try:
                _send(process, encode_request(request))
                has_ended = yield from _items(process)
                if not has_ended:
                    yield _death(process, shared.fileno(), recipe, bounds)
            finally:
                process.kill()


def start_confined(
    code: str, argument: str, *, pass_fds: tuple[int, ...] = (), stderr: int = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    """Start a process with pipes that runs `code`; its arguments are one of ours and the import path."""
    here = str(Path(runner.__file__).resolve().parent.parent)
    path = [entry for entry in sys.path if Path(entry).is_absolute()]
    path = path if here in path else [here, *path]
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-B", "-X", "utf8", "-W", "ignore", "-c", code, argument, *path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={},
        cwd=Path(sys.executable).anchor,
        pass_fds=pass_fds,
    )


def _send(process: "subprocess.Popen[bytes]", content: bytes) -> None:
    if process.stdin is None:
        raise AssertionError("BUG: the child was started without a pipe")
    try:
        process.stdin.write(content)
        process.stdin.close()
    except BrokenPipeError:
        # It died at once; the end of its output tells why.
        return


def _items(process: "subprocess.Popen[bytes]") -> Generator[Example | Issue, None, bool]:
    """Yield the items; the generator's value is whether the child said that there are no more."""
    if process.stdout is None:
        raise AssertionError("BUG: the child was started without a pipe")
    for line in process.stdout:
        if line == END:
            return True
        if not line.endswith(b"\n"):
            return False
        yield decode_item(line)
    return False


def _death(process: "subprocess.Popen[bytes]", shared: int, recipe: Recipe, bounds: Bounds) -> Issue:
    complaint = process.stderr.read(_MAX_STDERR_BYTES) if process.stderr else b""
    code = process.wait()
    position = Position(shared)
    phase, place = position.read()
    position.close()
    lines = complaint.decode("utf-8", "replace").splitlines()
    has_record = place is not None and place.row is not None
    what = {
        Phase.STARTING: "a recipe",
        Phase.READING: "data after this record" if has_record else "data",
        Phase.WORKING: "a record",
    }[phase]
    message = _sentence(code, lines[-1] if lines else "", phase, what, bounds)
    return Issue(place=place or Place(file=recipe.name), message=message)


def _sentence(code: int, complaint: str, phase: Phase, what: str, bounds: Bounds) -> str:
    seconds = bounds.record_s if phase is Phase.WORKING else bounds.read_s
    remedy = "Simplify the template, the paths or the data."
    if code in (-signal.SIGPROF, -signal.SIGALRM, -signal.SIGXCPU):
        return f"found {what} that takes more than {seconds:g} s of processor time, expected less. {remedy}"
    if code == -signal.SIGKILL or _NO_MEMORY.match(complaint):
        size = bounds.memory_bytes >> 20
        return f"found {what} that needs more than {size} MiB of memory, expected less. {remedy}"
    if code in _CRASHES:
        return (
            f"found {what} that crashes the library which reads it ({signal.Signals(-code).name}), "
            "expected a sound file. Write it again with the program that made it."
        )
    if complaint.startswith("RecursionError"):
        return f"found {what} with too many levels, expected less. {remedy}"
    reason = one_line(complaint, limit=200) or f"exit code {code}"
    return (
        f"found {what} that stops the reader ({reason}), expected examples. "
        "This is a bug of finetune-runner: please report it."
    )
