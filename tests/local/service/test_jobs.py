"""The routes of fine-tuning jobs, through the SDK, with training that takes no time."""

from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from runner.local.identifiers import derived_id
from runner.local.serve import ServiceOptions
from tests.local import fake_worker
from tests.local.harness import (
    RunningService,
    envelope,
    finished,
    lines,
    refusal,
    upload,
    wait_for,
    worker_pid,
)

HYPERPARAMETERS = {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 1.0}


def create(client: openai.OpenAI, **more: Any) -> FineTuningJob:
    """Start a job that succeeds at once."""
    file = more.pop("training_file", None) or upload(client).id
    body = {"model": "tiny-1", "seed": fake_worker.SUCCEEDS, **more}
    return client.fine_tuning.jobs.create(training_file=file, **body)


def refused(client: openai.OpenAI, **body: Any) -> tuple[int, Any]:
    """The answer to a job that must not start."""
    with pytest.raises(openai.APIStatusError) as caught:
        create(client, **body)
    return refusal(caught.value)


def test_a_job_from_start_to_end(client: openai.OpenAI, service: RunningService) -> None:
    """Job, events and checkpoints have the hosted shapes; the model is listed."""
    created = create(client, suffix="My guide", metadata={"recipe": "안내"})
    job = finished(client, created.id)
    name = f"ft:tiny-1:local:My-guide:{job.id[6:14]}"

    assert job.to_dict() == {
        "object": "fine_tuning.job",
        "id": created.id,
        "created_at": created.created_at,
        "error": None,
        "estimated_finish": None,
        "fine_tuned_model": name,
        "finished_at": job.finished_at,
        "hyperparameters": HYPERPARAMETERS,
        "integrations": [],
        "metadata": {"recipe": "안내"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},
        "model": "tiny-1",
        "organization_id": "local",
        "result_files": [derived_id("file", f"{job.id}/results")],
        "seed": 1,
        "status": "succeeded",
        "trained_tokens": 1700,
        "training_file": created.training_file,
        "user_provided_suffix": "My guide",
        "validation_file": None,
        "weights": job.weights,
    }
    assert job.weights["platform"] == "fake"
    assert len(job.weights["sha256"]) == 64
    assert name in [model.id for model in client.models.list()]
    assert client.files.content(job.result_files[0]).text == "step,train_loss\n1,0.5\n"
    assert client.files.retrieve(job.result_files[0]).purpose == "fine-tune-results"
    assert service.layout.manifest(job.id).is_file()


def test_answers_are_valid_for_the_sdk_types(client: openai.OpenAI) -> None:
    """Strict validation, which the SDK itself does not do, finds every field."""
    jobs = client.fine_tuning.jobs
    job = finished(client, create(client).id)

    body = jobs.with_raw_response.retrieve(job.id).http_response.json()
    FineTuningJob.model_validate(body, strict=True)
    for event in jobs.with_raw_response.list_events(job.id).http_response.json()["data"]:
        FineTuningJobEvent.model_validate(event, strict=True)
    for checkpoint in jobs.checkpoints.with_raw_response.list(job.id).http_response.json()["data"]:
        FineTuningJobCheckpoint.model_validate(checkpoint, strict=True)


def test_events_tell_the_story_in_the_hosted_words(client: openai.OpenAI) -> None:
    """The newest event comes first; a step's event carries its numbers."""
    job = finished(client, create(client).id)
    events = client.fine_tuning.jobs.list_events(job.id, limit=100).data[::-1]

    assert [event.message for event in events] == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        "Training on 10 examples: 4 steps, n_epochs 2, batch_size 8, learning_rate_multiplier 1",
        "Step 1/4: training loss=1.00",
        "Step 2/4: training loss=0.50, validation loss=0.75",
        "Checkpoint created at step 2",
        "Step 3/4: training loss=0.33",
        "Step 4/4: training loss=0.25, validation loss=0.75",
        "Checkpoint created at step 4",
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]
    assert events[6].to_dict() == {
        "object": "fine_tuning.job.event",
        "id": events[6].id,
        "created_at": events[6].created_at,
        "level": "info",
        "message": "Step 2/4: training loss=0.50, validation loss=0.75",
        "type": "metrics",
        "data": {
            "step": 2,
            "total_steps": 4,
            "epoch": 1.0,
            "train_loss": 0.5,
            "train_mean_token_accuracy": 0.5,
            "valid_loss": 0.75,
        },
    }
    paged = [event.id for event in client.fine_tuning.jobs.list_events(job.id, limit=3)]
    assert paged == [event.id for event in events[::-1]]


def test_checkpoints_are_models(client: openai.OpenAI, service: RunningService) -> None:
    """The last step comes first; what only resuming needs is gone."""
    job = finished(client, create(client).id)
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))

    assert [checkpoint.to_dict() for checkpoint in checkpoints] == [
        {
            "object": "fine_tuning.job.checkpoint",
            "id": derived_id("ftckpt", f"{job.id}/{step}"),
            "created_at": checkpoint.created_at,
            "fine_tuned_model_checkpoint": f"{job.fine_tuned_model}:ckpt-step-{step}",
            "fine_tuning_job_id": job.id,
            "metrics": {"step": step, "train_loss": 1 / step, "train_mean_token_accuracy": 0.5},
            "step_number": step,
        }
        for step, checkpoint in zip((4, 2), checkpoints, strict=True)
    ]
    folder = service.layout.checkpoint(job.id, 4)
    assert [path.name for path in folder.iterdir()] == ["model.safetensors"]


def test_jobs_are_found_by_metadata(client: openai.OpenAI) -> None:
    """The runner looks for its own job by key before it creates another."""
    first, second = (create(client, metadata={"key": key, "other": "x"}).id for key in ("a", "b"))
    without = create(client).id

    jobs = client.fine_tuning.jobs
    assert [job.id for job in jobs.list(metadata={"key": "a"})] == [first]
    assert [job.id for job in jobs.list(metadata={"other": "x"}, limit=1)] == [second, first]
    assert jobs.list(metadata={"key": "a", "other": "y"}).data == []
    assert jobs.list(limit=1).data[0].id == without
    assert jobs.list(limit=1, extra_query={"metadata": "null"}).data[0].id == without


def test_a_repeated_key_gives_the_same_job(client: openai.OpenAI) -> None:
    """A create whose answer was lost can be sent again, even when its file is gone."""
    headers = {"Idempotency-Key": "jobs"}
    file = upload(client).id
    first = create(client, training_file=file, extra_headers=headers)
    finished(client, first.id)
    client.files.delete(file)
    again = create(client, training_file=file, extra_headers=headers)

    assert (first.id, again.id) == (derived_id("ftjob", "jobs"), first.id)
    assert refused(client, training_file=file, suffix="other", extra_headers=headers) == (
        409,
        envelope(
            "The Idempotency-Key was used before to create another job. "
            "Send the same request to get that one, or another key to create a new one.",
            "Idempotency-Key",
            "idempotency_key_reused",
        ),
    )


def test_options_of_this_service_stand_among_the_hyperparameters(client: openai.OpenAI) -> None:
    """They are shown as they were asked for, also when the job is done."""
    options = {"adapter": "none", "early_stopping_patience": 2.0, "early_stopping_threshold": 0.01}
    values = {**options, "n_epochs": 2}
    method = {"type": "supervised", "supervised": {"hyperparameters": values}}
    job = create(client, method=method, validation_file=upload(client, lines(1)).id)
    ended = finished(client, job.id)

    assert ended.error is None
    assert ended.hyperparameters.to_dict() == {**HYPERPARAMETERS, **options, "early_stopping_patience": 2}


@pytest.mark.parametrize(
    ("values", "param", "message"),
    [
        (
            {"early_stopping_patience": 2},
            "hyperparameters.early_stopping_patience",
            "'early_stopping_patience' compares epochs by the validation file, and the job has none.",
        ),
        (
            {"load_best_model_at_end": True},
            "hyperparameters.load_best_model_at_end",
            "'load_best_model_at_end' compares epochs by the validation file, and the job has none.",
        ),
        ({"adapter": "lora"}, "hyperparameters.adapter", "'tiny-1' is tuned in full; leave 'adapter' out."),
        (
            {"lora_r": 8},
            "hyperparameters.lora_r",
            "'lora_r' is of an adapter, and the job tunes 'tiny-1' in full; leave it out.",
        ),
        (
            {"adapter": "dora"},
            "hyperparameters.adapter",
            "'dora' is not one of ['lora', 'qlora', 'none'] - 'hyperparameters.adapter'",
        ),
    ],
)
def test_options_that_a_job_cannot_follow_are_refused(
    client: openai.OpenAI, values: dict[str, Any], param: str, message: str
) -> None:
    """Before anything is trained."""
    assert refused(client, hyperparameters=values) == (400, envelope(message, param, "invalid_value"))


def test_the_older_place_of_hyperparameters_works(client: openai.OpenAI) -> None:
    """Clients may still send them at the top."""
    asked = {"n_epochs": 3}
    job = create(client, hyperparameters=asked)

    assert job.method is not None
    assert job.method.supervised is not None
    assert finished(client, job.id).status == "succeeded"


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"suffix": "x" * 65}, "suffix", f"'{'x' * 65}' is too long - 'suffix'"),
        ({"suffix": ""}, "suffix", "'' should be non-empty - 'suffix'"),
        ({"seed": -1}, "seed", "-1 is less than the minimum of 0 - 'seed'"),
        ({"seed": 2147483648}, "seed", "2147483648 is greater than the maximum of 2147483647 - 'seed'"),
        ({"seed": "1"}, "seed", "'1' is not of type 'integer' - 'seed'"),
        ({"metadata": {"a": 1}}, "metadata.a", "1 is not of type 'string' - 'metadata.a'"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a", f"'{'x' * 513}' is too long - 'metadata.a'"),
    ],
)
def test_values_out_of_range_are_refused(
    client: openai.OpenAI, body: dict[str, Any], param: str, message: str
) -> None:
    """The hosted bounds hold, in the hosted words."""
    assert refused(client, **body) == (400, envelope(message, param, "invalid_value"))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("n_epochs", 0, "0 is less than the minimum of 1"),
        ("n_epochs", 51, "51 is greater than the maximum of 50"),
        ("n_epochs", 1.5, "1.5 is not of type 'integer'"),
        ("n_epochs", True, "True is not of type 'integer'"),
        ("n_epochs", "three", "'three' is not 'auto' or an integer from 1 to 50"),
        ("batch_size", "8", "'8' is not 'auto' or an integer from 1 to 256"),
        ("learning_rate_multiplier", "low", "'low' is not 'auto' or a number above 0"),
        ("batch_size", 257, "257 is greater than the maximum of 256"),
        ("learning_rate_multiplier", 0, "0 is less than or equal to the minimum of 0"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(
    client: openai.OpenAI, name: str, value: Any, problem: str
) -> None:
    """In the new place and in the old one."""
    for place, body in (
        ("hyperparameters", {"hyperparameters": {name: value}}),
        (
            "method.supervised.hyperparameters",
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {name: value}}}},
        ),
    ):
        message = f"{problem} - '{place}.{name}'"
        assert refused(client, **body) == (400, envelope(message, f"{place}.{name}", "invalid_value"))


def test_unknown_parameters_are_named(client: openai.OpenAI) -> None:
    """Another provider's hyperparameter is not silently dropped."""
    assert refused(client, extra_body={"speed": 1}) == (
        400,
        envelope("Unknown parameter: 'speed'.", "speed", "unknown_parameter"),
    )
    assert refused(client, hyperparameters={"learning_rate": 1e-5}) == (
        400,
        envelope(
            "Unknown parameter: 'hyperparameters.learning_rate'.",
            "hyperparameters.learning_rate",
            "unknown_parameter",
        ),
    )


def test_unknown_methods_are_refused(client: openai.OpenAI) -> None:
    """The service says what it can do."""
    assert refused(client, method={"type": "ppo"}) == (
        400,
        envelope(
            "'ppo' is not one of ['supervised', 'dpo', 'reinforcement'] - 'method.type'",
            "method.type",
            "invalid_value",
        ),
    )


def test_a_method_is_shown_with_its_own_values(client: openai.OpenAI) -> None:
    """The legacy place has what all methods share."""
    preference = create(client, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}})
    grader = {
        "type": "string_check",
        "name": "same",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
        "operation": "eq",
    }
    rewarded = create(client, method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}

    assert preference.to_dict()["method"] == {
        "type": "dpo",
        "dpo": {"hyperparameters": {**auto, "beta": 0.2}},
    }
    assert rewarded.to_dict()["method"] == {
        "type": "reinforcement",
        "reinforcement": {"grader": grader, "hyperparameters": {**auto, "compute_multiplier": "auto"}},
    }


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (
            {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}},
            envelope(
                "3 is greater than the maximum of 2 - 'method.dpo.hyperparameters.beta'",
                "method.dpo.hyperparameters.beta",
                "invalid_value",
            ),
        ),
        (
            {"type": "reinforcement", "reinforcement": {}},
            envelope(
                "Missing required parameter: 'method.reinforcement.grader'.",
                "method.reinforcement.grader",
                "missing_required_parameter",
            ),
        ),
        (
            {
                "type": "reinforcement",
                "reinforcement": {"grader": {"type": "python", "name": "p", "source": "grade = max"}},
            },
            envelope(
                "Graders of type 'python' run code on this machine, which its operator has not allowed. "
                "Start the service with: finetune serve --allow-code",
                "method.reinforcement.grader.type",
                "code_not_allowed",
            ),
        ),
    ],
)
def test_a_methods_values_are_checked(
    client: openai.OpenAI, method: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert refused(client, method=method) == (400, expected)


def test_what_the_user_allows_a_job_is_allowed(client: openai.OpenAI) -> None:
    """This service is its user's own; one by `finetune serve` may have other clients."""
    grader = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n"}
    method: Any = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    job = create(client, method=method, extra_headers={"X-Finetune-Allow-Code": "1"})

    assert job.to_dict()["method"]["reinforcement"]["grader"] == grader  # type: ignore[index]
    assert not ServiceOptions().trusts_clients


def test_an_integration_is_kept_and_not_used(client: openai.OpenAI) -> None:
    """Nothing leaves this machine, and an event says so."""
    wanted = [{"type": "wandb", "wandb": {"project": "p", "name": "n", "entity": "e", "tags": ["t"]}}]
    job = create(client, integrations=wanted)
    events = client.fine_tuning.jobs.list_events(finished(client, job.id).id, limit=100).data

    assert job.to_dict()["integrations"] == wanted
    assert [(event.level, event.message) for event in events if event.level != "info"] == [
        (
            "warn",
            "Weights & Biases is kept with the job, but the local service sends nothing: "
            "the metrics are in the events and in the result file",
        )
    ]


def test_a_secret_in_an_integration_is_refused(client: openai.OpenAI) -> None:
    """It would lie in the state for ever."""
    wandb = {"project": "p", "api_key": "secret"}
    name = "integrations.0.wandb.api_key"

    assert refused(client, integrations=[{"type": "wandb", "wandb": wandb}]) == (
        400,
        envelope(f"Unknown parameter: '{name}'.", name, "unknown_parameter"),
    )


def test_what_belongs_to_another_method_has_no_effect(client: openai.OpenAI) -> None:
    """The API lets a request carry all three."""
    hyperparameters = {"n_epochs": 3}
    method = {
        "type": "supervised",
        "supervised": {"hyperparameters": hyperparameters},
        "dpo": {"hyperparameters": {"beta": 0.1}},
    }
    job = create(client, method=method)

    assert job.method.to_dict() == {
        "type": "supervised",
        "supervised": {
            "hyperparameters": {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto"}
        },
    }
    assert finished(client, job.id).status == "succeeded"


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("tiny-2", " Did you mean `tiny-1`?"),
        ("zzzz", ""),
        ("../outside", ""),
        ("/nowhere", ""),
        ("zero\0byte", ""),
        ("z" * 5000, ""),
    ],
)
def test_an_unknown_model_is_refused_with_near_names(client: openai.OpenAI, model: str, hint: str) -> None:
    """A folder without a model, or outside the project, is none."""
    assert refused(client, model=model) == (
        404,
        envelope(f"The model `{model}` does not exist.{hint}", "model", "model_not_found"),
    )


def test_an_unknown_file_is_refused(client: openai.OpenAI) -> None:
    """Either file is checked before the job exists."""
    assert refused(client, training_file="file-none") == (
        400,
        envelope("invalid training_file: file-none (no such file)", "training_file", "invalid_file"),
    )
    assert refused(client, validation_file="file-none") == (
        400,
        envelope("invalid validation_file: file-none (no such file)", "validation_file", "invalid_file"),
    )


def test_a_missing_parameter_is_named(client: openai.OpenAI) -> None:
    """The SDK would not leave it out; others do."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/fine_tuning/jobs", cast_to=object, body={"model": "tiny-1"})

    message = "Missing required parameter: 'training_file'."
    assert refusal(caught.value) == (400, envelope(message, "training_file", "missing_required_parameter"))


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (
            lines(7),
            "invalid_n_examples",
            "Training file has 7 example(s), but must have at least 10 examples",
        ),
        (
            lines(10) + b'{"prompt": "a"}\n',
            "invalid_training_file",
            "The job failed due to an invalid training file. Invalid file format. "
            "Example 11: messages must be a list with at least one message.",
        ),
    ],
)
def test_a_bad_training_file_fails_the_job(
    client: openai.OpenAI, content: bytes, code: str, message: str
) -> None:
    """As at the hosted service, the content is judged after the job was created."""
    job = finished(client, create(client, training_file=upload(client, content).id).id)

    assert job.status == "failed"
    assert job.error.to_dict() == {"code": code, "message": message, "param": "training_file"}
    events = client.fine_tuning.jobs.list_events(job.id).data
    assert (events[0].level, events[0].message) == ("error", message)


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (
            fake_worker.DISK_FULL,
            {"code": "disk_full", "message": "The disk is full; free some space and run the job again."},
        ),
        (
            fake_worker.BREAKS,
            {
                "code": "server_error",
                "message": "The job failed due to an internal error: KeyError: 'surprise'. Its log: {log}",
            },
        ),
    ],
)
def test_what_stops_training_becomes_the_error(
    client: openai.OpenAI, seed: int, error: dict[str, str]
) -> None:
    """A job never ends without a reason."""
    job = finished(client, create(client, seed=seed).id)

    log = f".finetune/local/jobs/{job.id}/worker.log"
    expected = {**error, "message": error["message"].replace("{log}", log), "param": None}
    assert (job.status, job.error.to_dict()) == ("failed", expected)
    assert job.fine_tuned_model is None


def test_a_cancelled_job_stays_cancelled(client: openai.OpenAI, service: RunningService) -> None:
    """The answer is immediate, the worker stops, and a second cancel is refused."""
    job = create(client, seed=fake_worker.WAITS)
    wait_for(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    cancelled = client.fine_tuning.jobs.cancel(job.id)

    assert cancelled.status == "cancelled"
    assert cancelled.finished_at is not None
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.cancel(job.id)
    message = f"Job {job.id} is cancelled and cannot be cancelled."
    assert refusal(caught.value) == (400, envelope(message, "fine_tuning_job_id", "job_finished"))
    assert finished(client, create(client).id).status == "succeeded"
    assert not service.layout.model(job.id).exists()


def test_one_job_at_a_time(client: openai.OpenAI) -> None:
    """The others say how many are before them, again when one has gone."""
    running, second, third = create(client, seed=fake_worker.WAITS), create(client), create(client)

    def told(job: FineTuningJob) -> list[str]:
        messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
        return [message for message in messages[::-1] if message.startswith("Position")]

    wait_for(lambda: told(third))
    client.fine_tuning.jobs.cancel(second.id)
    client.fine_tuning.jobs.cancel(running.id)
    assert finished(client, third.id).status == "succeeded"
    assert told(second) == ["Position 1 in the queue: one job is trained at a time"]
    assert told(third)[0] == "Position 2 in the queue: one job is trained at a time"


def test_a_paused_job_goes_on_when_it_is_resumed(client: openai.OpenAI, service: RunningService) -> None:
    """Its worker ends, its files stay, other jobs take their turn, and nothing is told twice."""
    jobs = client.fine_tuning.jobs
    job = create(client, seed=fake_worker.WAITS)
    worker_pid(service.layout, job.id)
    paused = jobs.pause(job.id)

    assert (paused.status, paused.finished_at, paused.fine_tuned_model) == ("paused", None, None)
    assert finished(client, create(client).id).status == "succeeded"
    assert jobs.retrieve(job.id).status == "paused"
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.delete(job.training_file)
    message = f"File '{job.training_file}' is used by {job.id}, which is paused."
    assert refusal(caught.value) == (400, envelope(message, "id", "file_in_use"))

    assert jobs.resume(job.id).status == "queued"
    (service.layout.training(job.id) / fake_worker.GO).touch()
    assert finished(client, job.id).status == "succeeded"
    messages = [event.message for event in jobs.list_events(job.id, limit=100)][::-1]
    assert [message for message in messages if message.startswith("Fine-tuning job")] == [
        "Fine-tuning job started",
        "Fine-tuning job paused",
        "Fine-tuning job resumed",
        "Fine-tuning job started",
    ]
    assert messages.count("Files validated, moving job to queued state") == 1
    assert messages.count("Step 3/4: training loss=0.33") == 1


def test_a_job_that_is_paused_and_resumed_at_once_is_not_lost(
    client: openai.OpenAI, service: RunningService
) -> None:
    """The worker of before the pause ends, and another one takes over."""
    job = create(client, seed=fake_worker.WAITS)
    first = worker_pid(service.layout, job.id)
    client.fine_tuning.jobs.pause(job.id)
    client.fine_tuning.jobs.resume(job.id)
    wait_for(lambda: int(service.layout.worker_pid(job.id).read_text()) != first)
    (service.layout.training(job.id) / fake_worker.GO).touch()

    assert finished(client, job.id).status == "succeeded"


def test_a_job_can_be_paused_before_its_turn(client: openai.OpenAI) -> None:
    """Its files are looked at when it is resumed."""
    jobs = client.fine_tuning.jobs
    running = create(client, seed=fake_worker.WAITS)
    waiting = create(client, training_file=upload(client, lines(7)).id)

    assert jobs.pause(waiting.id).status == "paused"
    jobs.cancel(running.id)
    jobs.resume(waiting.id)
    assert finished(client, waiting.id).error.code == "invalid_n_examples"


def test_a_paused_job_can_be_cancelled(client: openai.OpenAI, service: RunningService) -> None:
    """It is over then."""
    job = create(client, seed=fake_worker.WAITS)
    worker_pid(service.layout, job.id)
    client.fine_tuning.jobs.pause(job.id)

    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


@pytest.mark.parametrize(
    ("verb", "done", "status"),
    [
        ("pause", "paused", "succeeded"),
        ("resume", "resumed", "succeeded"),
        ("cancel", "cancelled", "succeeded"),
    ],
)
def test_a_finished_job_cannot_be_changed(client: openai.OpenAI, verb: str, done: str, status: str) -> None:
    """The refusal names its status."""
    job = finished(client, create(client).id)
    with pytest.raises(openai.BadRequestError) as caught:
        getattr(client.fine_tuning.jobs, verb)(job.id)

    message = f"Job {job.id} is {status} and cannot be {done}."
    assert refusal(caught.value) == (400, envelope(message, "fine_tuning_job_id", "job_finished"))


def test_a_live_job_cannot_be_resumed(client: openai.OpenAI) -> None:
    """There is nothing to resume."""
    job = create(client, seed=fake_worker.WAITS)
    wait_for(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.resume(job.id)
    client.fine_tuning.jobs.cancel(job.id)

    message = f"Job {job.id} is running and cannot be resumed."
    assert refusal(caught.value) == (400, envelope(message, "fine_tuning_job_id", "invalid_job_status"))


def test_a_file_of_a_live_job_stays(client: openai.OpenAI) -> None:
    """Deleting it would take the job's data away."""
    job = create(client, seed=fake_worker.WAITS)
    wait_for(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.delete(job.training_file)
    client.fine_tuning.jobs.cancel(job.id)

    message = f"File '{job.training_file}' is used by {job.id}, which is running."
    assert refusal(caught.value) == (400, envelope(message, "id", "file_in_use"))
    assert client.files.delete(job.training_file).deleted


def test_an_unknown_job_is_not_found(client: openai.OpenAI) -> None:
    """Every route of a job answers alike."""
    jobs = client.fine_tuning.jobs
    for ask in (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as caught:
            ask("ftjob-none")
        assert refusal(caught.value) == (
            404,
            envelope("Could not find fine tune: ftjob-none", "fine_tuning_job_id", "fine_tune_not_found"),
        )


@pytest.mark.parametrize("limit", ["-1", "ten", "10001", "²"])
def test_a_limit_must_be_a_number_in_range(client: openai.OpenAI, limit: str) -> None:
    """Paging values are checked too."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.list(extra_query={"limit": limit})

    message = f"Invalid 'limit': found '{limit}', expected a number from 0 to 10000."
    assert refusal(caught.value) == (400, envelope(message, "limit"))


def test_a_list_without_a_range_may_be_asked_for_nothing(client: openai.OpenAI) -> None:
    """Whether there is anything shows all the same."""
    job = create(client)

    page = client.fine_tuning.jobs.list(limit=0)
    events = client.fine_tuning.jobs.list_events(job.id, limit=0)

    assert ([], True, [], True) == (page.data, page.has_more, events.data, events.has_more)
