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


def test_lines_that_no_journal_writes_are_ignored(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl")
    journal.intend("job", "k")
    journal.path.write_bytes(journal.path.read_bytes() + b"7\n[]\n{}\n\xff\n")

    assert "unknown" == journal.outcome("job", "k")


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
        exclusive(path, "faq.yaml"),
        pytest.raises(RunnerError) as caught,
        exclusive(path, "faq.yaml"),
    ):
        raise AssertionError("entered twice")

    assert (
        "faq.yaml is being run by another process on this machine. "
        "Wait for it, or follow its job with `finetune watch`."
    ) == str(caught.value)
