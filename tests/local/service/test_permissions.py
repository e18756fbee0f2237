"""Who may use a checkpoint, through the SDK."""

from typing import Any

import openai
import pytest
from openai.types.fine_tuning.checkpoints import PermissionRetrieveResponse

from tests.local import fake_worker
from tests.local.harness import envelope, finished, refusal, upload


@pytest.fixture(scope="module")
def checkpoint(client: openai.OpenAI) -> str:
    """A checkpoint of a finished job."""
    job = client.fine_tuning.jobs.create(
        model="tiny-1", training_file=upload(client).id, seed=fake_worker.SUCCEEDS
    )
    finished(client, job.id)
    return client.fine_tuning.jobs.checkpoints.list(job.id).data[0].fine_tuned_model_checkpoint


def refused(act: Any, *arguments: Any, **more: Any) -> tuple[int, Any]:
    """The answer to what must not be done."""
    with pytest.raises(openai.APIStatusError) as caught:
        act(*arguments, **more)
    return refusal(caught.value)


def test_permissions_come_and_go(client: openai.OpenAI, checkpoint: str) -> None:
    """Create, list, retrieve and delete give the hosted shapes."""
    permissions = client.fine_tuning.checkpoints.permissions
    created = permissions.create(checkpoint, project_ids=["proj_a", "proj_b"]).data
    raw = permissions.with_raw_response.list(checkpoint).http_response.json()

    PermissionRetrieveResponse.model_validate(raw, strict=True)
    first, second = created
    assert raw == {
        "object": "list",
        "data": [row.to_dict() for row in (second, first)],
        "first_id": second.id,
        "last_id": first.id,
        "has_more": False,
    }
    assert first.to_dict() == {
        "object": "checkpoint.permission",
        "id": first.id,
        "created_at": first.created_at,
        "project_id": "proj_a",
    }
    assert [row.id for row in permissions.list(checkpoint, order="ascending", limit=1)] == [
        first.id,
        second.id,
    ]
    assert [row.id for row in permissions.list(checkpoint, project_id="proj_b")] == [second.id]
    assert permissions.create(checkpoint, project_ids=["proj_a"]).data == [first]

    gone = permissions.delete(first.id, fine_tuned_model_checkpoint=checkpoint)
    assert gone.to_dict() == {"id": first.id, "object": "checkpoint.permission", "deleted": True}
    assert [row.id for row in permissions.list(checkpoint)] == [second.id]
    assert refused(permissions.delete, first.id, fine_tuned_model_checkpoint=checkpoint) == (
        404,
        envelope(f"No such permission: {first.id}", "permission_id"),
    )


def test_an_unknown_checkpoint_is_named(client: openai.OpenAI) -> None:
    """No permission is given for what does not exist."""
    permissions = client.fine_tuning.checkpoints.permissions

    message = "No such checkpoint: ft:x:ckpt-step-1"
    expected = 404, envelope(message, "fine_tuned_model_checkpoint", "checkpoint_not_found")
    assert refused(permissions.list, "ft:x:ckpt-step-1") == expected
    assert refused(permissions.create, "ft:x:ckpt-step-1", project_ids=["proj_a"]) == expected


def test_a_permission_is_for_somebody(client: openai.OpenAI, checkpoint: str) -> None:
    """An empty list asks for nothing."""
    permissions = client.fine_tuning.checkpoints.permissions

    assert refused(permissions.create, checkpoint, project_ids=[]) == (
        400,
        envelope("[] should be non-empty - 'project_ids'", "project_ids", "invalid_value"),
    )
