"""Small stand-ins: a provider in memory that loses answers, a clock that never waits, ready values."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runner.dataset.value import Dataset, DatasetFile, InputFile
from runner.errors import ProviderError
from runner.providers.base import (
    JOB_KEY_METADATA,
    ChatRequest,
    Checkpoint,
    Completion,
    ConnectionLostError,
    Event,
    FileNotReadyError,
    Job,
    JobRequest,
    NotFoundError,
    OutcomeUnknownError,
    RemoteFile,
    RemoteModel,
)
from runner.recipe.model import Field, MessageTemplate, Recipe, Source, Template, Training


@dataclass
class StillClock:
    """Time that passes only when somebody waits."""

    time: float = 1_795_000_000.0
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waited.append(seconds)
        self.time += seconds


@dataclass
class MemoryProvider:
    """A provider whose state is two dictionaries; `lose` names requests whose answers get lost once.

    `file_statuses` are those of its files, look by look; `not_ready` jobs are refused before one is taken.
    """

    files: dict[str, RemoteFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    lose: set[str] = field(default_factory=set)
    lose_before: set[str] = field(default_factory=set)
    refuse: dict[str, str] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=lambda: ["succeeded"])
    lost_reads: int = 0
    read_fault: type[ProviderError] = ConnectionLostError
    file_statuses: list[str | None] = field(default_factory=lambda: [None])
    not_ready: int = 0

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Store a file."""
        file = RemoteFile(
            id=f"file-{self.count('upload') + 1}",
            filename=filename,
            size_bytes=path.stat().st_size,
            purpose="fine-tune",
            created_at=1,
            status=self._file_status(),
        )
        self._act("upload", lambda: self.files.update({file.id: file}))
        return file

    def retrieve_file(self, file_id: str) -> RemoteFile:
        """One file."""
        self.requests.append("retrieve_file")
        if file_id not in self.files:
            raise NotFoundError(f"memory: no {file_id}")
        return replace(self.files[file_id], status=self._file_status())

    def list_files(self, limit: int) -> list[RemoteFile]:
        """All files."""
        self.requests.append("list_files")
        return list(self.files.values())[:limit]

    def file_sha256(self, file_id: str) -> str | None:
        """The content is not kept."""
        return None

    def download_file(self, file_id: str, target: Path, limit_bytes: int) -> bool:
        """The content is not kept."""
        return False

    def delete_file(self, file_id: str) -> None:
        """Forget a file."""
        del self.files[file_id]

    def create_job(self, request: JobRequest) -> Job:
        """Store a job."""
        job = Job(
            id=f"ftjob-{len(self.jobs) + 1}",
            status="queued",
            model=request.model,
            training_file=request.training_file,
            validation_file=request.validation_file,
            created_at=len(self.jobs) + 1,
            seed=request.seed,
            hyperparameters=request.hyperparameters,
            metadata={JOB_KEY_METADATA: request.key},
        )
        if self.not_ready > 0:
            self.not_ready -= 1
            raise FileNotReadyError("memory: the file is still being processed")
        self._act("create_job", lambda: self.jobs.update({job.id: job}))
        return job

    def find_jobs(self, key: str) -> list[Job]:
        """Jobs by key."""
        self.requests.append("find_jobs")
        return [job for job in self.jobs.values() if job.metadata.get(JOB_KEY_METADATA) == key]

    def retrieve_job(self, job_id: str) -> Job:
        """One job; its status goes on by one with every look."""
        if self.lost_reads > 0:
            self.lost_reads -= 1
            raise self.read_fault("memory cannot be reached")
        job = self.jobs[job_id]
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        model = f"ft:{job.model}:1" if status == "succeeded" else None
        self.jobs[job_id] = replace(job, status=status, fine_tuned_model=model)
        return self.jobs[job_id]

    def list_jobs(self, limit: int) -> list[Job]:
        """All jobs."""
        return list(self.jobs.values())[:limit]

    def cancel_job(self, job_id: str) -> Job:
        """Cancel."""
        self.statuses = ["cancelled"]
        return self.retrieve_job(job_id)

    def list_events(self, job_id: str, limit: int) -> list[Event]:
        """One event for a job."""
        return [Event(id="ftevent-1", created_at=1, level="info", message=f"Created {job_id}")][:limit]

    def list_checkpoints(self, job_id: str) -> list[Checkpoint]:
        """One checkpoint."""
        return [Checkpoint(id="ftckpt-1", step=2, model=f"ft:{job_id}:ckpt-step-2")]

    def list_models(self, limit: int) -> list[RemoteModel]:
        """No models."""
        return []

    def retrieve_model(self, model: str) -> RemoteModel:
        """The models of succeeded jobs."""
        if all(job.fine_tuned_model != model for job in self.jobs.values()):
            raise NotFoundError(f"memory: no {model}")
        return RemoteModel(id=model, created_at=1, owned_by="memory")

    def delete_model(self, model: str) -> None:
        """Forget a model."""
        raise NotFoundError(f"memory: no {model}")

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """Echo."""
        yield from request.messages[-1]["content"]

    def complete(self, request: ChatRequest) -> Completion:
        """Echo."""
        return Completion(text=request.messages[-1]["content"])

    def close(self) -> None:
        """Nothing to give back."""

    def count(self, request: str) -> int:
        """How often something was asked."""
        return self.requests.count(request)

    def _file_status(self) -> str | None:
        return self.file_statuses.pop(0) if len(self.file_statuses) > 1 else self.file_statuses[0]

    def _act(self, name: str, effect: Any) -> None:
        self.requests.append(name)
        if name in self.refuse:
            raise ProviderError(self.refuse[name])
        if name in self.lose_before:
            self.lose_before.discard(name)
            raise OutcomeUnknownError(f"memory did not confirm {name}")
        effect()
        if name in self.lose:
            self.lose.discard(name)
            raise OutcomeUnknownError(f"memory did not confirm {name}")


def make_recipe(**changes: Any) -> Recipe:
    """A small recipe of the local provider."""
    training = Training(model="tiny-1", suffix="faq", seed=1)
    recipe = Recipe(
        name="faq",
        sources=(Source(path="faq.jsonl"),),
        key="id",
        fields=(Field(name="question", path="question"), Field(name="answer", path="answer")),
        templates=(
            Template(
                name="",
                messages=(
                    MessageTemplate(role="user", content="{{ question }}"),
                    MessageTemplate(role="assistant", content="{{ answer }}"),
                ),
            ),
        ),
        training=training,
    )
    return replace(recipe, **changes)


def make_dataset(
    folder: Path, content: bytes = b'{"messages":[]}\n', *, validation: bytes | None = None
) -> Dataset:
    """A dataset of given bytes."""
    return Dataset(
        folder=folder,
        training_file=make_file(folder, content),
        validation_file=make_file(folder, validation) if validation is not None else None,
        sources=(InputFile(name="faq.jsonl", sha256="a" * 64, size_bytes=10),),
        templates=(),
        findings=(),
        n_records=12,
        index="b" * 64,
    )


def make_file(folder: Path, content: bytes) -> DatasetFile:
    """A dataset file of given bytes, on disk."""
    from runner.canonical import sha256_bytes

    digest = sha256_bytes(content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.jsonl").write_bytes(content)
    return DatasetFile(
        sha256=digest, size_bytes=len(content), n_examples=12, n_tokens=1_000_000, tokens_exact=False
    )
