"""Python graders in their own process."""

import sys

import pytest

from runner.graders.code import CodeError, CodeKilledError, CodeLimits, run_code
from runner.graders.template import Sample

SAMPLE = Sample(output_text="세금")
LIMITS = CodeLimits(seconds=2, memory_bytes=1 << 30, disk_bytes=1 << 20)


def run(body: str) -> float:
    """Grade with a function of this body."""
    return run_code(f"def grade(sample, item):\n {body}", SAMPLE, {"reference": "세금", "n": 2}, LIMITS)


def test_code_sees_the_sample_and_the_item() -> None:
    """And gives a number."""
    assert run("return item['n'] * (sample['output_text'] == item['reference']) / 4") == 0.5


def test_what_code_prints_does_no_harm() -> None:
    """Its result has a way of its own."""
    assert run("print('{\"score\": 9}'); return 1") == 1.0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return item['missing']", "KeyError: 'missing'"),
        ("return 'high'", "TypeError: grade returned 'high', expected a number"),
        ("return True", "TypeError: grade returned True, expected a number"),
        ("return float('nan')", "TypeError: grade returned nan, expected a number"),
        (
            "import socket; socket.socket()",
            "PermissionError: graders may not use socket.__new__",
        ),
        (
            "import subprocess; subprocess.run(['true'])",
            "PermissionError: graders may not use subprocess.Popen",
        ),
        ("import os; os.system('true')", "PermissionError: graders may not use os.system"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_what_code_raises_is_told(body: str, message: str) -> None:
    """The last line of its traceback."""
    with pytest.raises(CodeError) as caught:
        run(body)

    assert str(caught.value) == message


def test_code_that_cannot_be_read_is_told() -> None:
    """As Python says it."""
    with pytest.raises(CodeError) as caught:
        run_code("def grade(", SAMPLE, {}, LIMITS)

    assert str(caught.value).startswith('File "<grader>", line 1')


def test_source_without_the_function_is_told() -> None:
    """The name is fixed."""
    with pytest.raises(CodeError) as caught:
        run_code("x = 1", SAMPLE, {}, LIMITS)

    assert str(caught.value) == "TypeError: the source defines no function grade(sample, item)"


def test_endless_code_is_ended() -> None:
    """By the limit on processor time, or on time."""
    with pytest.raises(CodeKilledError) as caught:
        run("while True: pass")

    assert str(caught.value) in (
        "it used more than 2 s of processor time or too much memory",
        "it took longer than 2 s",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit memory")
def test_memory_is_limited() -> None:
    """A large list ends the grader, not the machine."""
    with pytest.raises(CodeError) as caught:
        run("return len(bytearray(2 << 30))")

    assert str(caught.value).startswith("MemoryError")


def test_code_gets_no_environment_and_an_empty_folder() -> None:
    """There is no key to read."""
    assert run("import os; return len(os.listdir()) + ('HOME' in os.environ)") == 0.0
