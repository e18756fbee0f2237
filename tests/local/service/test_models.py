"""The routes of models, through the SDK."""

from collections.abc import Iterator

import openai
import pytest
from openai.types import Model
from openai.types.fine_tuning import FineTuningJob

from tests.local import fake_worker
from tests.local.harness import RunningService, envelope, finished, refusal, upload, worker_pid


@pytest.fixture
def job(client: openai.OpenAI) -> Iterator[FineTuningJob]:
    """A job that has succeeded."""
    file = upload(client).id
    created = client.fine_tuning.jobs.create(model="tiny-1", training_file=file, seed=fake_worker.SUCCEEDS)
    yield finished(client, created.id)


def test_models_have_the_hosted_shape(client: openai.OpenAI, job) -> None:
    """The built-in model and the tuned one are retrieved by name, colons and all."""
    tuned = client.models.with_raw_response.retrieve(job.fine_tuned_model).http_response.json()

    Model.model_validate(tuned, strict=True)
    assert tuned == {
        "object": "model",
        "id": job.fine_tuned_model,
        "created": job.finished_at,
        "owned_by": "local",
    }
    assert client.models.list().data[0] == client.models.retrieve("tiny-1")


def test_deleting_a_model_removes_its_folder(client: openai.OpenAI, service: RunningService, job) -> None:
    """The job and its files stay; the model and its checkpoints are gone."""
    deleted = client.models.delete(job.fine_tuned_model)

    assert deleted.to_dict() == {"id": job.fine_tuned_model, "object": "model", "deleted": True}
    assert not service.layout.model(job.id).exists()
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []
    assert client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    assert client.files.retrieve(job.training_file).id == job.training_file
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(job.fine_tuned_model)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("seed", [fake_worker.SUCCEEDS, fake_worker.LINGERS])
def test_a_deleted_model_is_trained_again_by_the_same_create(client: openai.OpenAI, seed: int) -> None:
    """The repeated key asks for the model: the same job and name, while the first worker may still end."""

    def create():
        return client.fine_tuning.jobs.create(
            model="tiny-1",
            training_file=file,
            seed=seed,
            extra_headers={"Idempotency-Key": f"again-{seed}"},
        )

    file = upload(client).id
    first = finished(client, create().id)
    client.models.delete(first.fine_tuned_model)
    repeated = create()

    assert (repeated.id, repeated.status) == (first.id, "validating_files")
    assert finished(client, repeated.id).weights == first.weights
    assert client.models.retrieve(first.fine_tuned_model).id == first.fine_tuned_model


def test_deleting_a_checkpoint_leaves_the_model(client: openai.OpenAI, service: RunningService, job) -> None:
    """One folder, one row."""
    client.models.delete(f"{job.fine_tuned_model}:ckpt-step-2")

    assert [item.step_number for item in client.fine_tuning.jobs.checkpoints.list(job.id)] == [4]
    assert not service.layout.checkpoint(job.id, 2).exists()
    assert service.layout.manifest(job.id).is_file()


def test_the_built_in_model_cannot_be_deleted(client: openai.OpenAI) -> None:
    """There is nothing to remove."""
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client.models.delete("tiny-1")

    message = "The model `tiny-1` is built in; only fine-tuned models can be deleted."
    assert refusal(caught.value) == (403, envelope(message, "model"))


def test_a_model_that_a_job_trains_on_stays(client: openai.OpenAI, service: RunningService, job) -> None:
    """A tuned model can be the base of the next, and is kept until that is done."""
    created = client.fine_tuning.jobs.create(
        model=job.fine_tuned_model, training_file=job.training_file, seed=fake_worker.WAITS, suffix="next"
    )
    worker_pid(service.layout, created.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client.models.delete(job.fine_tuned_model)
    (service.layout.training(created.id) / fake_worker.GO).touch()

    message = f"The model `{job.fine_tuned_model}` is used by {created.id}, which is running."
    assert refusal(caught.value) == (400, envelope(message, "model", "model_in_use"))
    name = finished(client, created.id).fine_tuned_model
    assert name == f"ft:tiny-1:local:next:{created.id[6:14]}"


def test_only_what_the_service_made_is_its_to_show(client: openai.OpenAI) -> None:
    """A hub name can be trained, but it is not a model here."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("owner/name")

    message = "The model `owner/name` is not one that this service made."
    assert refusal(caught.value) == (404, envelope(message, "model", "model_not_found"))
