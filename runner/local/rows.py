"""What the service remembers, as values; times are in whole seconds since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JobStatus = Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
Level = Literal["info", "warn", "error"]
LIVE: tuple[JobStatus, ...] = ("validating_files", "queued", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A stored file; `request_sha256` is what a repeated idempotency key must match."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    sha256: str
    created_at: int
    request_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A fine-tuning job.

    `model` is what the client asked for, `base_model` and `base_path` what training loads; `base_path` is set
    for weights trained before. `hyperparameters` are those asked for until training replaces "auto".
    `starts` counts the workers that were started for it.
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
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int
    suffix: str | None = None
    metadata: Mapping[str, str] | None = None
    allow_network: bool = False
    request_sha256: str | None = None
    starts: int = 0
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
