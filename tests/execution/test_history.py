"""Past runs are kept, whatever a crash left of the last line."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.execution.history import History
from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from tests.fakes import StillClock, make_dataset


@pytest.fixture
def run(tmp_path: Path) -> LockedRun:
    dataset = make_dataset(tmp_path / "datasets")
    return LockedRun(
        recipe_sha256="1" * 64,
        sections={},
        sources=dataset.sources,
        templates=(),
        n_records=12,
        index="b" * 64,
        training_file=LockedFile(file=dataset.training_file, file_id="file-1"),
        job=LockedJob(
            id="ftjob-1",
            provider="local",
            model="tiny-1",
            method="supervised",
            digest="2" * 64,
            attempt=1,
            seed=42,
            status="running",
            requested={"learning_rate_multiplier": 1e-05},
        ),
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history" / "faq.jsonl", StillClock())


def job(run: LockedRun, **changes: object) -> LockedRun:
    assert run.job is not None
    return replace(run, job=replace(run.job, **changes))  # type: ignore[arg-type]


def shown(history: History) -> list[tuple[str, str, str, str, str]]:
    return [
        (past.at, past.profile, past.job["id"], past.job["status"], past.reason) for past in history.runs()
    ]


def test_a_job_is_listed_once_as_it_was_last_seen(history: History, run: LockedRun) -> None:
    history.record("default", run, "new")
    history.clock.sleep(90)
    history.record("default", job(run, status="succeeded"))

    assert [("2026-11-18T11:08:10Z", "default", "ftjob-1", "succeeded", "new")] == shown(history)


def test_a_job_that_is_as_it_was_keeps_its_time(history: History, run: LockedRun) -> None:
    """Looked at again by `watch` or `refresh`, after another run."""
    finished = job(run, status="succeeded")
    history.record("default", run, "new")
    history.record("default", finished)
    history.record("default", job(run, id="ftjob-2"), "new")
    history.clock.sleep(90)
    history.record("default", finished)

    assert [
        ("2026-11-18T11:06:40Z", "default", "ftjob-2", "running", "new"),
        ("2026-11-18T11:06:40Z", "default", "ftjob-1", "succeeded", "new"),
    ] == shown(history)


def test_the_latest_run_comes_first(history: History, run: LockedRun) -> None:
    history.record("default", run, "new")
    history.record("openai", job(run, id="ftjob-2"), "new")
    history.record("default", job(run, status="failed"))

    assert ["ftjob-1", "ftjob-2"] == [past.job["id"] for past in history.runs()]


def test_a_job_keeps_what_the_lockfile_said_of_it(history: History, run: LockedRun) -> None:
    history.record("default", run, "new")

    (past,) = history.runs()
    assert {"learning_rate_multiplier": 1e-05} == past.job["hyperparameters"]["requested"]
    assert run.training_file.file.sha256 == past.dataset["training_file"]["sha256"]


def test_a_job_that_leaves_the_lockfile_is_kept_once(history: History, run: LockedRun) -> None:
    history.keep("default", run)
    history.keep("default", run)

    assert [("", "default", "ftjob-1", "running", "in the lockfile before")] == shown(history)
    assert 1 == len(history.path.read_text().strip().splitlines())


@pytest.mark.parametrize("torn", [b'{"at":"2026', b"[]", b"7", b'{"job":{}}', b'{"job":7}', b"\xff\xfe"])
def test_a_line_that_is_not_whole_is_left_out(history: History, run: LockedRun, torn: bytes) -> None:
    history.record("default", run, "new")
    history.path.write_bytes(history.path.read_bytes() + torn)
    history.record("default", job(run, id="ftjob-2"), "replace because seed 1 → 2")

    assert ["ftjob-2", "ftjob-1"] == [past.job["id"] for past in history.runs()]


def test_only_the_end_of_a_long_history_is_read(
    history: History, run: LockedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        history.record("default", job(run, id=f"ftjob-{number}"), "new")
    line = history.path.stat().st_size // 20
    monkeypatch.setattr("runner.execution.history.READ_BYTES", 3 * line + 10)

    assert ["ftjob-19", "ftjob-18", "ftjob-17"] == [past.job["id"] for past in history.runs()]


def test_a_history_that_cannot_be_written_stops_nothing(history: History, run: LockedRun) -> None:
    history.path.parent.write_text("no folder")
    history.record("default", run, "new")

    assert [] == history.runs()


def test_without_a_file_there_is_no_history(history: History) -> None:
    assert [] == history.runs()
