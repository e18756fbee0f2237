"""The real thing: tiny-1 is trained and answers, in real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.harness import RunningService, finished, lines, start_service, upload

pytestmark = pytest.mark.torch
pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
HYPERPARAMETERS = {"n_epochs": 16, "batch_size": 4}


@pytest.fixture
def running(state: Path) -> Iterator[RunningService]:
    """A service with real training and inference."""
    started = start_service(state, fakes=())
    yield started
    started.stop()


def test_a_tuned_model_answers_what_it_was_taught(running: RunningService) -> None:
    """Upload, train with validation, watch, chat with the model and with a checkpoint, train on."""
    with running.client() as client:
        file = upload(client).id
        job = client.fine_tuning.jobs.create(
            model="tiny-1",
            training_file=file,
            validation_file=upload(client, lines(2)).id,
            method={"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},
            seed=7,
        )
        done = finished(client, job.id)

        assert done.error is None
        assert done.hyperparameters.to_dict() == {**HYPERPARAMETERS, "learning_rate_multiplier": 1.0}
        checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
        assert [checkpoint.step_number for checkpoint in checkpoints] == [48, 45, 42]
        events = client.fine_tuning.jobs.list_events(job.id, limit=100).data
        assert [event.data["step"] for event in events if event.type == "metrics"] == list(range(48, 0, -1))

        for model in (done.fine_tuned_model, checkpoints[0].fine_tuned_model_checkpoint):
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "question 3"}], temperature=0
            )
            assert answer.choices[0].message.content == "answer 3"

        longer = client.fine_tuning.jobs.create(
            model=done.fine_tuned_model,
            training_file=file,
            hyperparameters={"n_epochs": 1},
            seed=7,
        )
        assert finished(client, longer.id).error is None
