"""The real thing: tiny-1 is trained and answers, in real processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.local.locks import is_locked
from tests.local.harness import RunningService, finished, lines, start_service, upload, wait_for

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
    """Upload, train with validation, watch, chat with the model and with a checkpoint."""
    with running.client() as client:
        job = client.fine_tuning.jobs.create(
            model="tiny-1",
            training_file=upload(client).id,
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


@pytest.mark.long
def test_a_tuned_model_is_trained_on(running: RunningService) -> None:
    body = {"training_file": "", "hyperparameters": {"n_epochs": 1}, "seed": 7}
    with running.client() as client:
        body["training_file"] = upload(client).id
        first = finished(client, client.fine_tuning.jobs.create(model="tiny-1", **body).id)
        second = finished(client, client.fine_tuning.jobs.create(model=first.fine_tuned_model, **body).id)

    assert (None, None) == (first.error, second.error)
    assert first.weights != second.weights


PREFERENCES = b"".join(
    json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": f"question {number}"}]},
            "preferred_output": [{"role": "assistant", "content": f"answer {number}"}],
            "non_preferred_output": [{"role": "assistant", "content": "no idea"}],
        }
    ).encode()
    + b"\n"
    for number in range(10)
)
TASKS = b"".join(
    json.dumps(
        {"messages": [{"role": "user", "content": f"question {number}"}], "wanted": f"answer {number}"}
    ).encode()
    + b"\n"
    for number in range(10)
)
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.wanted }}",
    "operation": "eq",
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "content", "measured"),
    [
        (
            {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "batch_size": 5}}},
            PREFERENCES,
            ["train_reward_accuracy", "train_reward_margin"],
        ),
        (
            {
                "type": "reinforcement",
                "reinforcement": {
                    "grader": GRADER,
                    "hyperparameters": {"n_epochs": 1, "batch_size": 5, "compute_multiplier": 0.25},
                },
            },
            TASKS,
            ["train_kl", "train_mean_reward"],
        ),
    ],
    ids=["dpo", "reinforcement"],
)
def test_other_methods_train_too(
    running: RunningService, method: dict[str, Any], content: bytes, measured: list[str]
) -> None:
    """A file of the method's own shape, two steps, what it measures in the events, a model in the end."""
    with running.client() as client:
        job = client.fine_tuning.jobs.create(
            model="tiny-1", training_file=upload(client, content).id, method=method, seed=7
        )
        # Sampling from a model that never ends its answers takes long on a busy machine.
        done = finished(client, job.id, timeout_s=120)
        events = client.fine_tuning.jobs.list_events(job.id, limit=100).data
        steps = [event.data for event in events if event.type == "metrics"]

        assert done.error is None
        assert done.method.type == method["type"]
        assert [2, 1] == [step["step"] for step in steps]
        assert all(set(measured) <= set(step) for step in steps)
        assert client.models.retrieve(done.fine_tuned_model).id == done.fine_tuned_model


@pytest.mark.long
def test_a_pause_changes_nothing_of_the_result(running: RunningService) -> None:
    """A job that was paused goes on after its last checkpoint and ends with the same weights."""
    jobs: Any
    with running.client() as client:
        file, jobs = upload(client).id, client.fine_tuning.jobs
        body = {"model": "tiny-1", "training_file": file, "hyperparameters": HYPERPARAMETERS, "seed": 7}
        whole = jobs.create(**body)
        # Queued meanwhile, so that its worker can be met early.
        parted = jobs.create(**body)
        finished(client, whole.id)
        wait_for(lambda: jobs.checkpoints.list(parted.id).data)
        jobs.pause(parted.id)
        wait_for(lambda: not is_locked(running.layout.worker_lock(parted.id)))
        kept = jobs.checkpoints.list(parted.id).data[0]
        jobs.resume(parted.id)
        ended = finished(client, parted.id)
        messages = [event.message for event in jobs.list_events(parted.id, limit=100)]

        assert ended.error is None
        assert f"Resuming after step {kept.step_number}" in messages
        assert ended.weights == jobs.retrieve(whole.id).weights
        assert ended.trained_tokens == jobs.retrieve(whole.id).trained_tokens
        steps = [event.data["step"] for event in jobs.list_events(parted.id, limit=100) if event.data]
        assert sorted(steps) == list(range(1, 49))


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        (
            "{",
            "model_not_available",
            "The model 'broken' cannot be loaded: it has no safetensors weights, and other formats can "
            "run code. Save the model as safetensors.",
        ),
    ],
)
def test_a_model_that_cannot_be_loaded_fails_the_job(
    running: RunningService, config: str, code: str, message: str
) -> None:
    """The error names the model and what is wrong with it."""
    folder = running.layout.state.parent / "broken"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    with running.client() as client:
        job = client.fine_tuning.jobs.create(model="broken", training_file=upload(client).id)
        error = finished(client, job.id).error

    assert (error.code, error.param) == (code, "model")
    assert error.message == message
