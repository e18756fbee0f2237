"""The SDK's objects as the runner's own types; any field may be missing."""

from typing import Any

from runner.display import neutralise
from runner.examples.content import turn_of
from runner.providers.base import Checkpoint, Completion, Event, Job, JobError, RemoteFile, RemoteModel


def file_of(item: Any) -> RemoteFile:
    """A file of the Files API."""
    return RemoteFile(
        id=item.id,
        filename=item.filename or "",
        size_bytes=item.bytes or 0,
        purpose=item.purpose or "",
        created_at=item.created_at or 0,
        status=getattr(item, "status", None),
    )


def job_of(item: Any) -> Job:
    """A fine-tuning job; its hyperparameters may stand at the top or in its method."""
    extra = item.model_extra or {}
    found = extra.get("weights")
    weights: dict[str, Any] = found if isinstance(found, dict) else {}
    return Job(
        id=item.id,
        status=item.status or "unknown",
        model=item.model or "",
        training_file=item.training_file or "",
        created_at=item.created_at or 0,
        validation_file=item.validation_file,
        fine_tuned_model=item.fine_tuned_model,
        finished_at=item.finished_at,
        trained_tokens=item.trained_tokens,
        seed=item.seed,
        method=item.method.type if getattr(item, "method", None) is not None else None,
        suffix=_suffix(item, extra),
        error=_job_error(item.error),
        hyperparameters=_hyperparameters(item),
        metadata=dict(item.metadata or {}),
        result_files=tuple(item.result_files or ()),
        weights_platform=weights.get("platform"),
        weights_sha256=weights.get("sha256"),
    )


def model_of(item: Any) -> RemoteModel:
    """A model of the Models API."""
    last_day = getattr(item, "shutdown_date", None)
    return RemoteModel(
        id=item.id,
        created_at=item.created or 0,
        owned_by=item.owned_by or "",
        shutdown_date=str(last_day) if last_day else None,
    )


def completion_of(item: Any) -> Completion:
    """The first choice of a chat completion; one without text, as after a refusal, is an empty answer."""
    choice = item.choices[0] if item.choices else None
    usage = item.usage
    message = choice.message.model_dump(exclude_none=True) if choice is not None else {}
    _, text = turn_of({"role": "assistant", **message})
    return Completion(
        text=text,
        tool_calls=tuple(message.get("tool_calls", ())),
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        finish_reason=choice.finish_reason if choice is not None else None,
    )


def _suffix(item: Any, extra: dict[str, Any]) -> str | None:
    if "user_provided_suffix" in extra:
        return str(extra["user_provided_suffix"] or "")
    # OpenAI's names are ft:base:organisation:suffix:id.
    parts = (item.fine_tuned_model or "").split(":")
    return parts[3] if len(parts) == 5 and parts[0] == "ft" else None


def _job_error(error: Any) -> JobError | None:
    # A healthy job may carry an empty error object.
    if error is None or not getattr(error, "code", None):
        return None
    return JobError(code=error.code, message=neutralise(error.message or ""), param=error.param)


def _hyperparameters(item: Any) -> dict[str, Any]:
    method = getattr(item, "method", None)
    inner = getattr(method, method.type, None) if method is not None and method.type else None
    chosen = getattr(inner, "hyperparameters", None) or item.hyperparameters
    values = chosen.model_dump() if chosen is not None else {}
    return {name: value for name, value in values.items() if value is not None}


def event_of(item: Any) -> Event:
    """An event of a job."""
    data = item.data if isinstance(item.data, dict) else {}
    return Event(
        id=item.id,
        created_at=item.created_at or 0,
        level=item.level or "info",
        message=neutralise(item.message or ""),
        type=item.type or "message",
        data=data,
    )


def checkpoint_of(item: Any) -> Checkpoint:
    """A checkpoint of a job."""
    metrics = item.metrics.model_dump() if item.metrics is not None else {}
    return Checkpoint(
        id=item.id,
        step=item.step_number or 0,
        model=item.fine_tuned_model_checkpoint or "",
        metrics={name: value for name, value in metrics.items() if value is not None},
    )
