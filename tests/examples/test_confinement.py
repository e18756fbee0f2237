"""The confined process: the same examples, and an end in a sentence for whatever goes wrong inside."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import runner
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.examples.wire import Bounds, Request, encode_request
from runner.issues import Issue, Place
from tests.examples.conftest import MakeSetting, Setting

pytestmark = pytest.mark.usefixtures("really_started")

# Doubles a list of references 2^23 times: much time and memory in C code, no output.
BOMB = "length([`1`]" + "|[@,@][]" * 23 + ")"


def confined(made: Setting, bounds: Bounds | None = None) -> list[Example | Issue]:
    return list(read_confined(made.recipe, made.folder, made.project, bounds=bounds or Bounds()))


def test_the_same_comes_out_as_without(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "가\u2028\n"}, {}, 3, {"title": "{{ x }}"}, {"title": "가\u2028\n"}],
        files={"a.j2": "{{ title }}"},
        template={"messages": [{"role": "user", "content_file": "a.j2"}]},
    )

    assert made.items() == confined(made)


def test_a_record_that_takes_too_long_is_named(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "A", "n": 1}, {"title": "B", "n": 2}, {"title": "C"}],
        fields={"title": "title", "bomb": f"n == `2` && {BOMB}"},
    )

    items = confined(made, Bounds(record_s=0.1, memory_bytes=1 << 32))

    assert [
        Issue(
            place=Place(file="data.json", row=2),
            message="found a record that takes more than 0.1 s of processor time, expected less. "
            "Simplify the template, the paths or the data.",
        )
    ] == [item for item in items if isinstance(item, Issue)]


def test_a_record_that_needs_too_much_memory_is_named_and_passed_over(setting: MakeSetting) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system does not say how much memory a process has")
    made = setting(
        data=[{"title": "A", "n": 1}, {"title": "B", "n": 2}, {"title": "C", "n": 3}],
        fields={"title": "title", "bomb": f"n == `2` && {BOMB}"},
    )

    items = confined(made, Bounds(memory_bytes=32 << 20))

    assert [1, "issue", 3] == ["issue" if isinstance(item, Issue) else item.row for item in items]
    assert (
        "data.json: row 2: found a record that needs too much memory, expected less. "
        "Simplify the template or data." == str(items[1])
    )


def test_a_source_that_needs_too_much_memory_is_named(setting: MakeSetting) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system does not say how much memory a process has")
    made = setting(data=[{"title": "A"}, {"title": "x" * 12_000_000}])

    items = confined(made, Bounds(memory_bytes=16 << 20))

    assert (
        "data.json: row 1: found data after this record that needs more than 16 MiB of memory, "
        "expected less. Simplify the template, the paths or the data." == str(items[-1])
    )


def test_reading_has_a_bound_of_its_own(setting: MakeSetting) -> None:
    made = setting(data=[{"title": "A"}, {"title": "x" * 12_000_000}])

    *_, last = confined(made, Bounds(read_s=0.02))

    assert isinstance(last, Issue)
    assert (
        "found data after this record that takes more than 0.02 s of processor time, expected less. "
        "Simplify the template, the paths or the data." == last.message
    )


def test_a_slow_reader_does_not_look_like_a_slow_record(setting: MakeSetting) -> None:
    """Time spent waiting for the parent to read is no processor time."""
    made = setting(data=[{"title": "x" * 50_000} for _ in range(30)])
    stream = read_confined(made.recipe, made.folder, made.project, bounds=Bounds(record_s=0.3))
    rows = []

    for item in stream:
        rows.append(item.row if isinstance(item, Example) else str(item))
        if len(rows) == 1:
            time.sleep(0.6)

    assert list(range(1, 31)) == rows


def test_closing_early_ends_the_process(setting: MakeSetting) -> None:
    made = setting(data=[{"title": "x" * 10_000} for _ in range(500)])
    before = _children()
    stream = read_confined(made.recipe, made.folder, made.project)
    next(stream)
    (child,) = _children() - before

    stream.close()

    assert before == _children()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_killed_process_is_an_issue(setting: MakeSetting) -> None:
    made = setting(data=[{"title": "x" * 10_000} for _ in range(500)])
    before = _children()
    stream = read_confined(made.recipe, made.folder, made.project)
    next(stream)
    (child,) = _children() - before

    os.kill(child, signal.SIGKILL)
    *_, last = stream

    assert isinstance(last, Issue)
    # It may be reading or working at that moment.
    assert last.message.endswith(
        "that needs more than 1024 MiB of memory, expected less. "
        "Simplify the template, the paths or the data."
    )


def test_a_library_that_gets_no_memory_is_told_as_such(
    setting: MakeSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as Arrow, whose error has a name of its own."""
    monkeypatch.setattr(
        "runner.examples.confinement._START",
        "raise type('ArrowMemoryError', (MemoryError,), {'__module__': 'pyarrow.lib'})('malloc of 9 failed')",
    )

    assert [
        "test: found a recipe that needs more than 1024 MiB of memory, expected less. "
        "Simplify the template, the paths or the data."
    ] == [str(item) for item in confined(setting(data=[{"title": "A"}]))]


def test_a_fault_of_ours_is_called_one(setting: MakeSetting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.examples.confinement._START", "raise KeyError('x')")

    assert [
        "test: found a recipe that stops the reader (KeyError: 'x'), expected examples. "
        "This is a bug of finetune-runner: please report it."
    ] == [str(item) for item in confined(setting(data=[{"title": "A"}]))]


def test_the_process_dies_with_its_parent(setting: MakeSetting) -> None:
    """The next write to a pipe that nobody reads ends it."""
    made = setting(data=[{"title": "x" * 10_000} for _ in range(500)])
    code = (
        "import sys, os; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from runner.examples import confinement\n"
        "from runner.examples.wire import decode_request\n"
        "request = decode_request(Path(sys.argv[1]).read_bytes())\n"
        "stream = confinement.read_confined(request.recipe, request.folder, request.project)\n"
        "next(stream)\n"
        "children = Path(f'/proc/self/task/{os.getpid()}/children')\n"
        "print(children.read_text() if children.exists() else '', flush=True)\n"
        "os._exit(0)\n"
    )
    request = made.folder / "request.json"
    request.write_bytes(
        encode_request(Request(recipe=made.recipe, folder=made.folder, project=made.project, bounds=Bounds()))
    )
    root = str(Path(runner.__file__).parent.parent)

    done = subprocess.run(
        [sys.executable, "-c", code, str(request), root],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    if not done.stdout.strip():
        pytest.skip("this system does not list child processes")
    child = int(done.stdout.split()[0])
    deadline = time.monotonic() + 5
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)


def test_the_process_has_no_environment_and_cannot_write(
    setting: MakeSetting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    probe = (
        "import sys, os; sys.path[:] = sys.argv[2:]\n"
        "from runner.examples.worker import confine\n"
        "from runner.examples.wire import Bounds\n"
        "confine(Bounds())\n"
        "try:\n"
        f"    with open({str(tmp_path / 'probe')!r}, 'w') as file:\n"
        "        file.write('x' * 10)\n"
        "    wrote = True\n"
        "except OSError:\n"
        "    wrote = False\n"
        "raise SystemExit(f'{sorted(set(os.environ) - {\"LC_CTYPE\"})} {wrote} {os.getcwd()}')\n"
    )
    monkeypatch.setattr("runner.examples.confinement._START", probe)

    (issue,) = confined(setting(data=[{"title": "A"}]))

    assert "([] False /)" in issue.message


def test_the_process_imports_nothing_heavy() -> None:
    code = (
        "import sys, runner.examples.worker\n"
        "heavy = {'openai', 'torch', 'rich', 'click', 'jsonschema', 'yaml', 'asyncio', 'subprocess'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = str(Path(runner.__file__).parent.parent)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)

    assert "[]\n" == done.stdout


def _children() -> set[int]:
    """The child processes of this one; without /proc the test cannot look."""
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    if not listing.exists():
        pytest.skip("this system does not list child processes")
    return {int(pid) for pid in listing.read_text().split()}


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
