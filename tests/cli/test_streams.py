"""Closed streams and readers that leave early do not change what a command says or how it ends."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.streams import emit, write_any_character
from tests.cli.conftest import Call
from tests.fake_host import FakeHost

FINETUNE = f"{sys.executable} -m runner"


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line whose exit code is that of `finetune`."""
    script = f"{command.replace('finetune', FINETUNE)}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("finetune chat <&-", 2, "error: give a question, or run it on a terminal for a conversation.\n"),
        ("finetune preview faq.yaml >&-", 0, ""),
        ("finetune preview faq.yaml 2>&-", 0, ""),
        ("finetune preview faq.yaml | true", 0, ""),
        ("finetune plan faq.yaml --detailed-exitcode --json | true", 5, ""),
        ("finetune plan faq.yaml --detailed-exitcode 2>&1 | true", 5, ""),
        ("finetune validate absent.yaml --json | true", 1, ""),
        ("finetune --help | true", 0, ""),
    ],
)
def test_a_closed_stream_changes_nothing(local_recipe: Path, command: str, code: int, error: str) -> None:
    done = shell(local_recipe.parent, command)

    assert (code, error) == (done.returncode, done.stderr)


@pytest.mark.parametrize(("options", "said"), [((), True), (("--json",), False)])
def test_a_build_tells_people_how_far_it_is(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    *,
    said: bool,
) -> None:
    monkeypatch.setattr("runner.report.build_progress.SILENT_S", 0)
    outcome = call("build", recipe, *options)

    assert (0, said) == (outcome.code, "building: " in outcome.err)


@pytest.mark.parametrize(
    ("command", "works"),
    [
        (("plan", "RECIPE"), ["building"]),
        (("tokens", "RECIPE"), ["building", "counting tokens"]),
        (("check", "RECIPE", "--fix"), ["building", "repairing", "building"]),
        (("check", "TRAINING"), ["checking"]),
        (("diff", "RECIPE", "OTHER"), ["building", "building"]),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_whatever_may_take_long_tells_how_far_it_is(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    works: list[str],
) -> None:
    monkeypatch.setattr("runner.report.build_progress.SILENT_S", 0)
    data = recipe.parent / "faq.jsonl"
    data.write_text(data.read_text().replace("It is number 3.", " It is number 3. "))
    other, training = recipe.with_name("other.yaml"), recipe.with_name("training.jsonl")
    other.write_text(recipe.read_text().replace("{{ question }}", "Q: {{ question }}"))
    training.write_text('{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n')
    named = {"RECIPE": recipe, "OTHER": other, "TRAINING": training}

    outcome = call(*(named.get(word, word) for word in command))

    said = [line.split(": ")[0] for line in outcome.err.splitlines() if " records/s" in line]
    assert works == said


@pytest.mark.parametrize(
    ("asked_for", "written"),
    [
        (None, '"가 é 🙂"'.encode()),
        ("ascii", rb'"\uac00 \u00e9 \ud83d\ude42"'),
        ("cp949", '"가'.encode("cp949") + rb' \u00e9 \ud83d\ude42"'),
    ],
)
def test_text_reaches_a_pipe_whatever_the_locale(
    monkeypatch: pytest.MonkeyPatch, asked_for: str | None, written: bytes
) -> None:
    """As UTF-8, or in the encoding that was asked for; either way, JSON stays JSON."""
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    if asked_for:
        monkeypatch.setenv("PYTHONIOENCODING", asked_for)
    stream = io.TextIOWrapper(io.BytesIO(), encoding=asked_for or "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    write_any_character()
    emit('"가 é 🙂"')
    stream.flush()

    assert written == stream.buffer.getvalue()
    assert "가 é 🙂" == json.loads(written.decode(asked_for or "utf-8"))
