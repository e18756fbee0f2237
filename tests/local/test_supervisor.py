"""Jobs outlive what happens to their worker and to the service."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.clock import SystemClock
from runner.local.layout import Layout
from runner.local.locks import is_locked
from runner.local.rows import JobRow, JobStatus
from runner.local.store import Store
from runner.local.supervisor import Supervisor, describe_exit
from tests.local import fake_worker
from tests.local.harness import RunningService, finished, lines, start_service, upload, wait_for, worker_pid


@pytest.fixture
def services(state: Path) -> Iterator[list[RunningService]]:
    """The services that a test started on one state folder, ended afterwards."""
    started = [start_service(state)]
    yield started
    for running in started:
        if running.process.poll() is None:
            running.stop()


def waiting_job(running: RunningService, seed: int = fake_worker.WAITS) -> Any:
    """A job that trains until it is told to finish."""
    with running.client() as client:
        file = upload(client).id
        return client.fine_tuning.jobs.create(model="tiny-1", training_file=file, seed=seed)


def let_finish(running: RunningService, job_id: str) -> None:
    """Tell a waiting job to finish."""
    (running.layout.training(job_id) / fake_worker.GO).touch()


def restart(services: list[RunningService]) -> RunningService:
    """Kill the service and start another on its folder."""
    services[-1].kill()
    services.append(start_service(services[-1].layout.state))
    return services[-1]


def messages(running: RunningService, job_id: str) -> list[str]:
    """A job's events, oldest first."""
    with running.client() as client:
        return [event.message for event in client.fine_tuning.jobs.list_events(job_id, limit=100)][::-1]


KILLED = (
    "The training process was ended by signal 9 (SIGKILL). "
    "Most often memory ran out: use a smaller batch_size, shorter examples or a smaller model."
)


def test_a_worker_that_is_killed_twice_at_one_place_fails_its_job(services: list[RunningService]) -> None:
    """The second came no further than the first; the error says what to do."""
    job = waiting_job(services[0], fake_worker.DIES)
    with services[0].client() as client:
        ended = finished(client, job.id)

    assert ended.status == "failed"
    assert ended.error.to_dict() == {
        "code": "worker_died",
        "message": f"{KILLED} The one before it came no further. "
        f"Its log: .finetune/local/jobs/{job.id}/worker.log",
        "param": None,
    }
    told = messages(services[0], job.id)
    assert told[-1] == ended.error.message
    assert told.count("Fine-tuning job started") == 2
    assert told.count(f"{KILLED} The job goes on in a new one") == 1


def test_a_worker_outlives_its_service(services: list[RunningService]) -> None:
    """The next service takes the job over while it goes on training."""
    job = waiting_job(services[0])
    pid = worker_pid(services[0].layout, job.id)
    running = restart(services)

    assert worker_pid(running.layout, job.id) == pid
    let_finish(running, job.id)
    with running.client() as client:
        assert finished(client, job.id).status == "succeeded"
    assert messages(running, job.id).count("Fine-tuning job started") == 1


def test_a_job_can_finish_without_a_service(services: list[RunningService]) -> None:
    """The worker needs nobody to tell."""
    job = waiting_job(services[0])
    worker_pid(services[0].layout, job.id)
    services[0].kill()
    let_finish(services[0], job.id)
    wait_for(lambda: not is_locked(services[0].layout.worker_lock(job.id)))
    with restart(services).client() as client:
        assert client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"


def test_a_job_whose_worker_died_with_the_service_runs_again(services: list[RunningService]) -> None:
    """No step is told twice, and a second loss ends the job with a sentence."""
    job = waiting_job(services[0])
    pid = worker_pid(services[0].layout, job.id)
    services[0].kill()
    os.kill(pid, signal.SIGKILL)
    running = restart(services)
    wait_for(lambda: messages(running, job.id).count("Fine-tuning job started") == 2)

    told = messages(running, job.id)
    gone = "The training process was gone when the service started; the job goes on in a new one"
    assert told.count(gone) == 1
    assert told.count("Step 2/4: training loss=0.50, validation loss=0.75") == 1

    second = int(running.layout.worker_pid(job.id).read_text())
    running.kill()
    os.kill(second, signal.SIGKILL)
    with restart(services).client() as client:
        error = finished(client, job.id).error
    assert (error.code, error.message) == (
        "worker_died",
        "The training process ended without a result twice. "
        f"Its log: .finetune/local/jobs/{job.id}/worker.log",
    )


def test_queued_jobs_run_after_a_restart(services: list[RunningService]) -> None:
    """A job that no worker had yet is not lost."""
    first = waiting_job(services[0])
    second = waiting_job(services[0], fake_worker.SUCCEEDS)
    worker_pid(services[0].layout, first.id)
    running = restart(services)
    let_finish(running, first.id)
    with running.client() as client:
        assert finished(client, second.id).status == "succeeded"


def test_an_adopted_job_can_be_cancelled(services: list[RunningService]) -> None:
    """Its worker reads the new status from the store."""
    job = waiting_job(services[0])
    worker_pid(services[0].layout, job.id)
    running = restart(services)
    with running.client() as client:
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    wait_for(lambda: not is_locked(running.layout.worker_lock(job.id)), timeout_s=5)


class FullDisk(Store):
    """A state that takes no failure while the disk is full."""

    is_full = True

    def move_job(self, job_id: str, to: JobStatus, **more: Any) -> bool:
        """Write, unless it is a failure that finds no space."""
        if self.is_full and to == "failed":
            raise sqlite3.OperationalError("database or disk is full")
        return super().move_job(job_id, to, **more)


def test_a_failure_that_finds_no_space_is_told_from_memory(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And written once there is space; the job is not started again meanwhile."""
    monkeypatch.setattr("runner.local.supervisor.RETRY_S", 0.01)
    layout = Layout(state)
    store = FullDisk(layout.database)
    layout.file("file-1").parent.mkdir(parents=True)
    layout.file("file-1").write_bytes(lines())
    job = JobRow(
        id="ftjob-" + "0" * 24,
        created_at=1,
        model="tiny-1",
        base_model="tiny-1",
        fine_tuned_model="ft:tiny-1:local::1",
        training_file="file-1",
        hyperparameters={name: "auto" for name in ("n_epochs", "batch_size", "learning_rate_multiplier")},
        seed=fake_worker.DIES,
    )
    store.add(job)
    supervisor = Supervisor(layout, store, SystemClock(), "tests.local.fake_worker", lambda: None)

    async def until_written() -> JobRow:
        queue = asyncio.create_task(supervisor.run())
        supervisor.submit(job)
        while supervisor.current(stored()).is_live:
            await asyncio.sleep(0.02)
        told = supervisor.current(stored())
        assert "running" == stored().status
        store.is_full = False
        while stored().is_live:
            await asyncio.sleep(0.02)
        queue.cancel()
        return told

    def stored() -> JobRow:
        found = store.job(job.id)
        assert found is not None
        return found

    told = asyncio.run(until_written())
    written = stored()
    store.close()

    assert told.error is not None
    assert (
        f"{KILLED} The one before it came no further. "
        f"Its log: .finetune/local/jobs/{job.id}/worker.log "
        "The state folder cannot be written (database or disk is full): free some space."
    ) == told.error["message"]
    assert ("failed", told.error, 2) == (written.status, written.error, written.starts)


def test_the_operator_may_let_jobs_train_side_by_side(state: Path) -> None:
    """As many as allowed run, the next one waits."""
    running = start_service(state, "--max-jobs", "2")
    first, second, third = (waiting_job(running) for _ in range(3))
    for job in (first, second):
        worker_pid(running.layout, job.id)

    waiting = "Position 1 in the queue: 2 jobs are trained at a time"
    wait_for(lambda: waiting in messages(running, third.id))
    let_finish(running, first.id)
    worker_pid(running.layout, third.id)
    let_finish(running, second.id)
    let_finish(running, third.id)
    with running.client() as client:
        ended = [finished(client, job.id).status for job in (first, second, third)]
    assert ended == ["succeeded"] * 3
    assert running.stop() == 0


def test_a_bad_file_is_told_while_another_job_trains(services: list[RunningService]) -> None:
    """Nor does a good one wait to be looked at; a model's folder is looked over too."""
    running = services[0]
    first = waiting_job(running)
    worker_pid(running.layout, first.id)
    folder = running.layout.state.parent / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with running.client() as client:
        jobs = client.fine_tuning.jobs
        bad_file = jobs.create(model="tiny-1", training_file=upload(client, b"{}\n" * 10).id)
        bad_model = jobs.create(model="broken", training_file=upload(client).id)
        good = jobs.create(model="tiny-1", training_file=upload(client).id, seed=fake_worker.SUCCEEDS)
        errors = [finished(client, job.id).error for job in (bad_file, bad_model)]
        wait_for(lambda: jobs.retrieve(good.id).status == "queued")

        assert jobs.retrieve(first.id).status == "running"
        assert [(error.code, error.param, error.message) for error in errors] == [
            (
                "invalid_training_file",
                "training_file",
                "The job failed due to an invalid training file. Invalid file format. Example 1: messages "
                "must be a list with at least one message.",
            ),
            (
                "model_not_available",
                "model",
                "The model 'broken' cannot be loaded: it has no safetensors weights, and other formats can "
                "run code. Save the model as safetensors.",
            ),
        ]
        let_finish(running, first.id)
        assert finished(client, good.id).error is None
    assert messages(running, good.id).count("Files validated, moving job to queued state") == 1


def test_a_paused_job_outlives_the_service(services: list[RunningService]) -> None:
    """The next service leaves it alone until it is resumed."""
    job = waiting_job(services[0])
    worker_pid(services[0].layout, job.id)
    with services[0].client() as client:
        client.fine_tuning.jobs.pause(job.id)
    running = restart(services)
    let_finish(running, job.id)
    with running.client() as client:
        assert client.fine_tuning.jobs.retrieve(job.id).status == "paused"
        client.fine_tuning.jobs.resume(job.id)
        assert finished(client, job.id).status == "succeeded"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (None, "The training process ended without a result."),
        (3, "The training process ended with status 3 and without a result."),
        (-15, "The training process was ended by signal 15 (SIGTERM)."),
    ],
)
def test_the_end_of_a_process_is_told_in_a_sentence(code: int | None, expected: str) -> None:
    """Advice comes only where it can help."""
    assert describe_exit("training", code) == expected
