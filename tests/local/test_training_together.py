"""The real thing in two processes: torchrun starts them, and the service pauses and resumes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.local.locks import is_locked
from tests.local.harness import RunningService, finished, lines, start_service, upload, wait_for

pytestmark = [pytest.mark.torch, pytest.mark.long]
pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
HYPERPARAMETERS = {"n_epochs": 12, "batch_size": 4}
# Two processes load torch beside each other.
WAIT_S = 180


@pytest.fixture
def running(state: Path) -> Iterator[RunningService]:
    """A service that trains every job in two processes."""
    started = start_service(state, "--processes", "2", fakes=())
    yield started
    started.stop()


def losses(running: RunningService, job_id: str) -> list[float]:
    """The training loss of every step."""
    with running.client() as client:
        events = list(client.fine_tuning.jobs.list_events(job_id, limit=100))
    return [event.data["train_loss"] for event in reversed(events) if event.type == "metrics"]


def test_a_job_trains_in_two_processes(running: RunningService, tmp_path: Path) -> None:
    """With the losses of one; a pause changes nothing of the weights, whose platform counts the processes."""
    jobs: Any
    with running.client() as client:
        file, jobs = upload(client, lines(12)).id, client.fine_tuning.jobs
        body = {"model": "tiny-1", "training_file": file, "hyperparameters": HYPERPARAMETERS, "seed": 7}
        whole = finished(client, jobs.create(**body).id, WAIT_S)
        parted = jobs.create(**body)
        wait_for(lambda: jobs.checkpoints.list(parted.id).data, WAIT_S)
        jobs.pause(parted.id)
        wait_for(lambda: not is_locked(running.layout.processes_lock(parted.id)), WAIT_S)
        jobs.resume(parted.id)
        resumed = finished(client, parted.id, WAIT_S)
        messages = [event.message for event in jobs.list_events(parted.id, limit=100)]

    alone = start_service(tmp_path / "alone" / ".finetune", fakes=())
    with alone.client() as client:
        body["training_file"] = upload(client, lines(12)).id
        single = finished(client, client.fine_tuning.jobs.create(**body).id, WAIT_S)

    assert whole.error is None
    assert resumed.error is None
    assert any(message.startswith("Resuming after step ") for message in messages)
    assert resumed.weights == whole.weights
    assert whole.weights["platform"] == f"{single.weights['platform']}-2-processes"
    assert len(losses(running, whole.id)) == 36
    assert losses(running, whole.id) == pytest.approx(losses(alone, single.id), abs=1e-3)
    assert alone.stop() == 0
