"""Several processes train a job for the service, whatever starts them."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.local.locks import is_locked
from tests.local import fake_worker
from tests.local.harness import RunningService, finished, start_service, upload, wait_for, worker_pid

FAKE_LAUNCHER = Path(__file__).with_name("fake_launcher.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the launcher writes and the state lies."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[RunningService]:
    """A service whose jobs a launcher starts, in two processes."""
    (folder / "fsdp.yaml").touch()
    launcher = [sys.executable, str(FAKE_LAUNCHER), "--written", str(folder / "written"), "--n-processes"]
    words = shlex.join([*launcher, "2", "--config_file", str(folder / "fsdp.yaml")])
    started = start_service(folder / ".finetune", "--processes", "2", "--launcher", words)
    yield started
    assert started.stop() == 0


def make_job(running: RunningService, seed: int) -> Any:
    """Start a job of the fake worker."""
    with running.client() as client:
        return client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=seed)


def test_a_launcher_starts_the_processes_of_a_job(running: RunningService, folder: Path) -> None:
    """It gets its own options as they were given, then the worker; the first process reports for both."""
    job = make_job(running, fake_worker.SUCCEEDS)
    with running.client() as client:
        ended = finished(client, job.id)
        messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]

    assert (ended.status, ended.error) == ("succeeded", None)
    assert "Fine-tuning job started in 2 processes" in messages
    assert (folder / "written").read_text().split("\n")[2:] == [
        "--n-processes",
        "2",
        "--config_file",
        str(folder / "fsdp.yaml"),
        "-m",
        "tests.local.fake_worker",
        "--state",
        str(running.layout.state),
        "--job",
        job.id,
        "--processes",
        "2",
    ]


def test_a_failure_beside_the_first_process_is_told(running: RunningService) -> None:
    """The launcher ends them all; the job's error is that of the one that failed."""
    job = make_job(running, fake_worker.OTHER_FAILS)
    with running.client() as client:
        error = finished(client, job.id).error

    assert error.to_dict() == {
        "code": "out_of_memory",
        "message": "There is not enough memory.",
        "param": "hyperparameters",
    }


def test_a_process_that_is_killed_ends_the_job(running: RunningService) -> None:
    """The error says where to look."""
    job = make_job(running, fake_worker.OTHER_DIES)
    with running.client() as client:
        error = finished(client, job.id).error

    assert (error.code, error.message) == (
        "worker_died",
        "One of the 2 training processes ended without a result, and the others with it. Which one and how "
        "is at the end of the log; signal 9 (SIGKILL) most often means that memory ran out: use a smaller "
        "batch_size, shorter examples or a smaller model. The one before it came no further. "
        f"Its log: .finetune/local/jobs/{job.id}/worker.log",
    )


def test_no_process_outlives_its_launcher(running: RunningService) -> None:
    """Nobody else could tell them to stop, and a second start would meet them in the same folder."""
    job = make_job(running, fake_worker.WAITS)
    launcher = worker_pid(running.layout, job.id)
    company = running.layout.training(job.id) / "company"
    wait_for(lambda: company.is_dir() and len(list(company.iterdir())) == 1)
    os.kill(launcher, signal.SIGKILL)

    with running.client() as client:
        events = client.fine_tuning.jobs.list_events
        started = "Fine-tuning job started in 2 processes"
        wait_for(lambda: [event.message for event in events(job.id)].count(started) == 2)
        wait_for(lambda: len(list(company.iterdir())) == 2)
        (running.layout.training(job.id) / fake_worker.GO).touch()
        assert finished(client, job.id).error is None


def test_a_cancelled_job_ends_every_process(running: RunningService) -> None:
    """Also one that waits for the first."""
    job = make_job(running, fake_worker.WAITS)
    worker_pid(running.layout, job.id)
    with running.client() as client:
        client.fine_tuning.jobs.cancel(job.id)
    wait_for(lambda: not is_locked(running.layout.worker_lock(job.id)))

    assert not is_locked(running.layout.processes_lock(job.id))


def test_a_launcher_that_starts_one_process_fails_the_job(state: Path) -> None:
    """Instead of training alone without a word, as `accelerate launch --cpu --num_processes 2` does."""
    running = start_service(state, "--processes", "2", "--launcher", sys.executable)
    job = make_job(running, fake_worker.SUCCEEDS)
    with running.client() as client:
        error = finished(client, job.id).error

    assert error.to_dict() == {
        "code": "wrong_number_of_processes",
        "message": "The launcher started 1 process, expected 2. Change `--processes` or `--launcher` of "
        "`finetune serve` (FINETUNE_PROCESSES, FINETUNE_LAUNCHER); torchrun takes the number as "
        "`--nproc-per-node`, and accelerate as `num_processes`, which it ignores without `--multi_gpu` or a "
        "configuration file that says how.",
        "param": None,
    }
    assert running.stop() == 0
