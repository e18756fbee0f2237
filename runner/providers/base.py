"""What the runner asks of a provider, in its own types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any, Final, Protocol

from runner.errors import ProviderError
from runner.providers.statuses import TERMINAL

JOB_KEY_METADATA = "finetune_job_key"
UPLOAD_PURPOSE: Final = "fine-tune"


class NotFoundError(ProviderError):
    """The provider has no file, job or model of that name."""


class BareNotFoundError(NotFoundError):
    """A 404 without a word about the object, as a host that lacks the whole route answers it too."""


class NotOfferedError(ProviderError):
    """The host does not offer what was asked for."""


class ConnectionLostError(ProviderError):
    """A request that changes nothing could not be completed; it may be repeated."""


class ServerFaultError(ProviderError):
    """The provider could not answer a request that changes nothing just now; a later one it may."""


class OutcomeUnknownError(ProviderError):
    """A create was sent and its answer lost: the provider may or may not have acted."""


class FileNotReadyError(ProviderError):
    """A job was refused, and not created, because the provider has not looked at its file yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file at the provider. `created_at` is in seconds since the epoch, by the provider's clock."""

    id: str
    filename: str
    size_bytes: int
    purpose: str
    created_at: int
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed, in the provider's words."""

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A fine-tuning job as the provider reports it; an unknown status is kept as it came.

    `method` and `suffix` are None where the provider does not tell; a suffix not asked for is empty.
    """

    id: str
    status: str
    model: str
    training_file: str
    created_at: int
    validation_file: str | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    trained_tokens: int | None = None
    seed: int | None = None
    error: JobError | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    suffix: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    result_files: tuple[str, ...] = ()
    weights_platform: str | None = None
    weights_sha256: str | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a job; `data` holds the numbers of a metrics event."""

    id: str
    created_at: int
    level: str
    message: str
    type: str = "message"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model kept from the end of an epoch."""

    id: str
    step: int
    model: str
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """A model at the provider; `created_at` is in seconds since the epoch, by the provider's clock.

    `shutdown_date` is the day, YYYY-MM-DD, from which the provider says it is gone.
    """

    id: str
    created_at: int
    owned_by: str
    shutdown_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """Everything a job is created from. `key` marks the job as ours in metadata and as idempotency key.

    `hyperparameters` and `options`, which stand beside them in the request, are in the host's own words.
    """

    key: str
    model: str
    method: str
    training_file: str
    validation_file: str | None
    hyperparameters: Mapping[str, Any]
    seed: int
    suffix: str | None
    recipe: str
    grader: Mapping[str, Any] | None = None
    allow_network: bool = False
    allow_code: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question to a model; temperature 0 is the most likely answer.

    Messages are as the API takes them; `beside` is what stands beside them, such as tools.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    temperature: float = 0.0
    max_tokens: int | None = None
    seed: int | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer; tokens are None where the provider does not count them.

    `text` has calls of tools in brackets, as the text of an example has; `tool_calls` are the calls.
    """

    text: str
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None


class Provider(Protocol):
    """A fine-tuning API. Every method raises ProviderError with a sentence for the user."""

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Send a training file once; OutcomeUnknownError when the answer is lost."""

    def start_upload(self, filename: str, size_bytes: int) -> str:
        """Announce a training file that comes in parts; the ID of the upload."""

    def send_part(self, upload_id: str, content: RawIOBase) -> str:
        """Send a part of an upload; its ID. Sent again, it is another part, and only one need be used."""

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], *, md5: str) -> RemoteFile:
        """Make a file of parts in their order; OutcomeUnknownError when the answer is lost."""

    def retrieve_file(self, file_id: str) -> RemoteFile:
        """One file; NotFoundError when it is gone."""

    def list_files(self, limit: int) -> list[RemoteFile]:
        """Files, newest first."""

    def file_sha256(self, file_id: str) -> str | None:
        """Hash of a file's content, hexadecimal; None where the provider does not give it back."""

    def download_file(self, file_id: str, target: Path, limit_bytes: int) -> bool:
        """Write a file's content, no more than asked for; False where the provider does not give it back."""

    def delete_file(self, file_id: str) -> None:
        """Delete one file."""

    def create_job(self, request: JobRequest) -> Job:
        """Start a job once; OutcomeUnknownError when the answer is lost, FileNotReadyError when too early."""

    def find_jobs(self, key: str) -> list[Job]:
        """The jobs that carry a job key in their metadata, oldest first."""

    def retrieve_job(self, job_id: str) -> Job:
        """One job; NotFoundError when there is none."""

    def list_jobs(self, limit: int) -> list[Job]:
        """Jobs, newest first."""

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job."""

    def list_events(self, job_id: str, limit: int) -> list[Event]:
        """The latest events of a job, oldest first."""

    def list_checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints of a job by step."""

    def list_models(self, limit: int) -> list[RemoteModel]:
        """The models of the account, in the provider's order."""

    def retrieve_model(self, model: str) -> RemoteModel:
        """One model; NotFoundError when there is none."""

    def delete_model(self, model: str) -> None:
        """Delete one fine-tuned model."""

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """The answer in pieces, as it comes."""

    def complete(self, request: ChatRequest) -> Completion:
        """The whole answer. A lost one is asked for again a few times, with growing pauses."""

    def close(self) -> None:
        """Give the connections back."""
