"""SIGKILL at random moments of training, and with it the service's end, as when a machine is switched off."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local.harness import RunningService, finished, lines, start_service, upload, wait_for

pytestmark = [pytest.mark.torch, pytest.mark.long]
pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
N_KILLS = 20
HYPERPARAMETERS = {"n_epochs": 50, "batch_size": 4}
# About the time of two epochs with their checkpoints.
SPAN_S = 0.2


def start_job(running: RunningService) -> Any:
    """A job of 150 steps and 50 checkpoints."""
    with running.client() as client:
        return client.fine_tuning.jobs.create(
            model="tiny-1",
            training_file=upload(client, lines(12)).id,
            validation_file=upload(client, lines(2)).id,
            hyperparameters=HYPERPARAMETERS,
            seed=7,
        )


def last_checkpoint(running: RunningService, job_id: str) -> int:
    """The step of the last complete checkpoint."""
    records = running.layout.training(job_id).glob("checkpoints/checkpoint-*/checkpoint.json")
    return max((int(record.parent.name.removeprefix("checkpoint-")) for record in records), default=0)


def test_twenty_kills_change_nothing_of_the_weights(tmp_path: Path) -> None:
    """The service is killed with the worker every fifth time; no step is told twice, and none is missing."""
    generator = random.Random(7)
    running = start_service(tmp_path / "whole" / ".finetune", fakes=())
    whole = start_job(running)
    with running.client() as client:
        expected = finished(client, whole.id, 120)
    assert running.stop() == 0

    running = start_service(tmp_path / "killed" / ".finetune", fakes=())
    job, pid, reached = start_job(running), 0, 0
    for number in range(1, N_KILLS + 1):
        # A new worker that has come further than the one before it.
        wait_for(lambda: last_checkpoint(running, job.id) > reached, 120)  # noqa: B023 - asked at once
        time.sleep(generator.uniform(0, SPAN_S))
        previous, pid = pid, int(running.layout.worker_pid(job.id).read_text())
        if number % 5 == 0:
            running.kill()
        os.kill(pid, signal.SIGKILL)
        reached = last_checkpoint(running, job.id)
        if number % 5 == 0:
            running = start_service(running.layout.state, fakes=())
        assert pid != previous

    with running.client() as client:
        ended = finished(client, job.id, 120)
        events = list(client.fine_tuning.jobs.list_events(job.id, limit=100))
    assert running.stop() == 0

    steps = [event.data["step"] for event in events if event.type == "metrics"]
    assert ended.error is None
    assert ended.weights == expected.weights
    assert ended.trained_tokens == expected.trained_tokens
    assert sorted(steps) == list(range(1, 151))
    assert sum(event.message == "Fine-tuning job started" for event in events) == N_KILLS + 1
