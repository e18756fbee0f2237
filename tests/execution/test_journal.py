"""Intents are on disk before anything is sent."""

import os
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.execution.journal import Journal, exclusive


def test_an_intent_without_an_outcome_is_unknown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal" / "run.jsonl")
    assert journal.outcome("job", "k") is None

    journal.intend("job", "k")

    assert "unknown" == Journal(journal.path).outcome("job", "k")
    assert journal.outcome("upload", "k") is None
    assert journal.outcome("job", "other") is None


def test_an_outcome_is_remembered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl")
    journal.intend("upload", "k")
    journal.done("upload", "k", "file-1")

    assert "file-1" == Journal(journal.path).outcome("upload", "k")


def test_a_refusal_closes_the_intent(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl")
    journal.intend("job", "k")
    journal.refused("job", "k")

    assert journal.outcome("job", "k") is None


def test_a_line_cut_off_by_a_crash_is_ignored(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl")
    journal.intend("job", "k")
    journal.path.write_bytes(journal.path.read_bytes() + b'{"state":"done","kind":"jo')

    assert "unknown" == journal.outcome("job", "k")

    journal.done("job", "k", "ftjob-1")

    assert "ftjob-1" == journal.outcome("job", "k")


@pytest.mark.parametrize(
    "line",
    [b"7", b"[]", b"{}", b"\xff", b"\0\0\0", b'{"key":"k","kind":"job","state":"done"}', b"<<<<<<< HEAD"],
)
def test_a_damaged_line_is_refused(tmp_path: Path, line: bytes) -> None:
    """What it said is not known, so a create could be sent twice."""
    journal = Journal(tmp_path / "run.jsonl")
    journal.intend("job", "k")
    journal.path.write_bytes(journal.path.read_bytes() + line + b"\n")
    with pytest.raises(RunnerError) as caught:
        journal.outcome("job", "k")

    assert (
        f"{journal.path}:3: the journal of what was sent is damaged here, so a job could be sent twice. "
        "Nothing was sent. Look with `finetune jobs` whether the provider has a job of this recipe, cancel "
        "one that is not wanted, then delete the file."
    ) == str(caught.value)


def test_an_intent_that_is_not_wholly_on_disk_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk may take half a line and report no error."""
    write = os.write
    monkeypatch.setattr("os.write", lambda handle, line: write(handle, line[:5]))
    with pytest.raises(OSError, match="No space left on device"):
        Journal(tmp_path / "run.jsonl").intend("job", "k")


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with (
        exclusive(path, "faq.yaml", "`finetune watch faq.yaml`"),
        pytest.raises(RunnerError) as caught,
        exclusive(path, "faq.yaml", "`finetune watch faq.yaml`"),
    ):
        raise AssertionError("entered twice")

    assert (
        "faq.yaml is being run by another process on this machine. "
        "Wait for it, or follow its job with `finetune watch faq.yaml`."
    ) == str(caught.value)
