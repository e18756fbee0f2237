"""Turns what the service remembers into the hosted API's objects."""

from collections.abc import Sequence
from typing import Any

from runner.local.rows import (
    BatchRow,
    CheckpointRow,
    EventRow,
    FileRow,
    JobRow,
    ModelRow,
    PartRow,
    PermissionRow,
    UploadRow,
)

OWNER = "local"


def file_object(row: FileRow) -> dict[str, Any]:
    """The API's `file`; `expires_at` is there for a file that expires."""
    file = {
        "object": "file",
        "id": row.id,
        "bytes": row.size_bytes,
        "created_at": row.created_at,
        "filename": row.filename,
        "purpose": row.purpose,
        "status": "processed",
    }
    return file if row.expires_at is None else {**file, "expires_at": row.expires_at}


def text_list_object(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """The API's `list` where it wants the IDs to be text, also when it is empty."""
    listed = list_object(data, has_more=has_more)
    return {**listed, "first_id": listed["first_id"] or "", "last_id": listed["last_id"] or ""}


def upload_object(row: UploadRow, file: FileRow | None = None) -> dict[str, Any]:
    """The API's `upload`, with the file that it became."""
    upload = {
        "object": "upload",
        "id": row.id,
        "bytes": row.size_bytes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "filename": row.filename,
        "purpose": row.purpose,
        "status": row.status,
    }
    return upload if file is None else {**upload, "file": file_object(file)}


def part_object(row: PartRow) -> dict[str, Any]:
    """The API's `upload.part`."""
    return {"object": "upload.part", "id": row.id, "created_at": row.created_at, "upload_id": row.upload_id}


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
        "integrations": row.integrations,
        "metadata": row.metadata,
        "method": _method(row),
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


def _method(row: JobRow) -> dict[str, Any]:
    grader = {"grader": row.grader} if row.grader is not None else {}
    return {"type": row.method, row.method: {**grader, "hyperparameters": row.hyperparameters}}


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


def batch_object(row: BatchRow) -> dict[str, Any]:
    """The API's `batch`; what is not known yet is left out."""
    batch = {
        "object": "batch",
        "id": row.id,
        "endpoint": row.endpoint,
        "model": row.model,
        "errors": {"object": "list", "data": row.errors} if row.errors else None,
        "input_file_id": row.input_file_id,
        "completion_window": row.completion_window,
        "status": row.status,
        "output_file_id": row.output_file_id,
        "error_file_id": row.error_file_id,
        "created_at": row.created_at,
        "in_progress_at": row.in_progress_at,
        "expires_at": row.expires_at,
        "finalizing_at": row.finalizing_at,
        "completed_at": row.completed_at,
        "failed_at": row.failed_at,
        "expired_at": row.expired_at,
        "cancelling_at": row.cancelling_at,
        "cancelled_at": row.cancelled_at,
        "request_counts": {
            "total": row.n_requests,
            "completed": row.n_completed,
            "failed": row.n_failed,
        },
        "usage": {
            "input_tokens": row.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": row.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": row.input_tokens + row.output_tokens,
        },
    }
    return {name: value for name, value in batch.items() if value is not None} | {"metadata": row.metadata}


def permission_object(row: PermissionRow) -> dict[str, Any]:
    """The API's `checkpoint.permission`."""
    return {
        "object": "checkpoint.permission",
        "id": row.id,
        "created_at": row.created_at,
        "project_id": row.project_id,
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
