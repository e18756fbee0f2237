"""Turns what the service remembers into the hosted API's objects."""

from collections.abc import Sequence
from typing import Any

from runner.local.rows import CheckpointRow, EventRow, FileRow, JobRow, ModelRow

OWNER = "local"


def file_object(row: FileRow) -> dict[str, Any]:
    """The API's `file`."""
    return {
        "object": "file",
        "id": row.id,
        "bytes": row.size_bytes,
        "created_at": row.created_at,
        "expires_at": None,
        "filename": row.filename,
        "purpose": row.purpose,
        "status": "processed",
        "status_details": None,
    }


def job_object(row: JobRow) -> dict[str, Any]:
    """The API's `fine_tuning.job`; a succeeded one also carries the hash of its weights."""
    succeeded = row.status == "succeeded"
    job = {
        "object": "fine_tuning.job",
        "id": row.id,
        "created_at": row.created_at,
        "error": row.error,
        "estimated_finish": row.estimated_finish if row.is_live else None,
        "fine_tuned_model": row.fine_tuned_model if succeeded else None,
        "finished_at": row.finished_at,
        "hyperparameters": row.hyperparameters,
        "integrations": [],
        "metadata": row.metadata,
        "method": {"type": "supervised", "supervised": {"hyperparameters": row.hyperparameters}},
        "model": row.model,
        "organization_id": OWNER,
        "result_files": row.result_files,
        "seed": row.seed,
        "status": row.status,
        "trained_tokens": row.trained_tokens,
        "training_file": row.training_file,
        "user_provided_suffix": row.suffix,
        "validation_file": row.validation_file,
    }
    return {**job, "weights": row.weights} if succeeded else job


def event_object(row: EventRow) -> dict[str, Any]:
    """The API's `fine_tuning.job.event`."""
    return {
        "object": "fine_tuning.job.event",
        "id": row.id,
        "created_at": row.created_at,
        "level": row.level,
        "message": row.message,
        "type": row.type,
        "data": row.data,
    }


def checkpoint_object(row: CheckpointRow) -> dict[str, Any]:
    """The API's `fine_tuning.job.checkpoint`."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": row.id,
        "created_at": row.created_at,
        "fine_tuned_model_checkpoint": row.model,
        "fine_tuning_job_id": row.job_id,
        "metrics": row.metrics,
        "step_number": row.step,
    }


def model_object(row: ModelRow) -> dict[str, Any]:
    """The API's `model`."""
    return {"object": "model", "id": row.id, "created": row.created_at, "owned_by": OWNER}


def list_object(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """The API's `list`, with the IDs that the next page is asked by."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
