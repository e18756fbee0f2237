"""What the service remembers, as values; times are in whole seconds since the epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.local.training.job import Method

JobStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
UploadStatus = Literal["pending", "completed", "cancelled", "expired"]
BatchStatus = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
Level = Literal["info", "warn", "error"]
LIVE: tuple[JobStatus, ...] = ("validating_files", "queued", "running")
# A paused job has no worker and waits for its owner; its files and its base model are still needed.
UNFINISHED: tuple[JobStatus, ...] = (*LIVE, "paused")
LIVE_BATCH: tuple[BatchStatus, ...] = ("validating", "in_progress", "finalizing", "cancelling")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A stored file; gone after `expires_at`. A repeated idempotency key must match `request_sha256`."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    sha256: str
    created_at: int
    expires_at: int | None = None
    request_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    """A file that arrives in parts; `file_id` is set once it is complete.

    `expires_after_s` is how long the file shall live. `completion_sha256` is what a repeated completion must
    match.
    """

    id: str
    filename: str
    purpose: str
    size_bytes: int
    mime_type: str
    created_at: int
    expires_at: int
    expires_after_s: int | None = None
    status: UploadStatus = "pending"
    file_id: str | None = None
    request_sha256: str | None = None
    completion_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One piece of an upload."""

    id: str
    upload_id: str
    created_at: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A fine-tuning job.

    `model` is what the client asked for, `base_model` and `base_path` what training loads; `base_path` is set
    for weights trained before. Reinforcement has a `grader`. `hyperparameters` are those asked for until
    training replaces "auto".
    `starts` counts the workers since it was created or resumed, or since its last checkpoint, `pauses` how
    often it was paused or created again: a worker from before that stops.
    """

    id: str
    created_at: int
    model: str
    base_model: str
    base_path: str | None = None
    fine_tuned_model: str
    status: JobStatus = "validating_files"
    training_file: str
    validation_file: str | None = None
    method: Method = "supervised"
    grader: Mapping[str, Any] | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int
    suffix: str | None = None
    metadata: Mapping[str, str] | None = None
    integrations: Sequence[Mapping[str, Any]] = ()
    allow_network: bool = False
    request_sha256: str | None = None
    starts: int = 0
    pauses: int = 0
    finished_at: int | None = None
    estimated_finish: int | None = None
    trained_tokens: int | None = None
    result_files: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None
    weights: Mapping[str, str] | None = None

    @property
    def is_live(self) -> bool:
        """Whether the job may still change."""
        return self.status in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a job's log; `data` holds the numbers of a metrics event."""

    id: str
    job_id: str
    created_at: int
    level: Level = "info"
    message: str
    type: Literal["message", "metrics"] = "message"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A model kept from the end of an epoch."""

    id: str
    job_id: str
    created_at: int
    step: int
    model: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A fine-tuned model or checkpoint; `path` is its folder, relative to the service's own."""

    id: str
    job_id: str
    created_at: int
    base_model: str
    path: str
    is_checkpoint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRow:
    """Leave for a project to use a checkpoint."""

    id: str
    checkpoint: str
    project_id: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """Many chat requests in one file; the `..._at` say when it entered each status.

    `errors` are what is wrong with the input file. `n_completed` and `n_failed` of `n_requests` are done.
    """

    id: str
    created_at: int
    endpoint: str
    input_file_id: str
    completion_window: str
    status: BatchStatus = "validating"
    model: str | None = None
    metadata: Mapping[str, str] | None = None
    output_expires_after_s: int | None = None
    request_sha256: str | None = None
    expires_at: int
    in_progress_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    output_file_id: str | None = None
    error_file_id: str | None = None
    n_requests: int = 0
    n_completed: int = 0
    n_failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRow:
    """A chat completion that its client asked to keep: the API's object, and the messages it answers."""

    id: str
    created_at: int
    model: str
    completion: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, str] | None = None
