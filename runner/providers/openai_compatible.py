"""One adapter for every host of the OpenAI fine-tuning shape, on the openai SDK."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from io import RawIOBase
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import openai

from runner.errors import ProviderError
from runner.providers.base import (
    JOB_KEY_METADATA,
    UPLOAD_PURPOSE,
    ChatRequest,
    Checkpoint,
    Completion,
    ConnectionLostError,
    Event,
    Job,
    JobRequest,
    NotFoundError,
    RemoteFile,
    RemoteModel,
)
from runner.providers.openai_errors import CALL_ERRORS, SHAPE_ERRORS, Explainer
from runner.providers.openai_objects import checkpoint_of, completion_of, event_of, file_of, job_of, model_of

# What a lookup reads at most; the hosts' pages have 100 jobs.
MAX_SEARCHED_JOBS = 10_000
MAX_CHECKPOINTS = 1_000
# Many questions at a time meet rate limits; the SDK waits as long as the host says, or 0.5 s to 8 s.
ASKED_AGAIN = 5

T = TypeVar("T")


class OpenAICompatible:
    """A provider behind a base URL. Reads are retried by the SDK; creates are sent exactly once.

    `lists_events` and `lists_checkpoints` are false for a host without these routes: there are none, then.
    """

    lists_events = True
    lists_checkpoints = True

    def __init__(self, client: openai.OpenAI, name: str, closing: str = "") -> None:
        self.client = client
        self.name = name
        self.explain = Explainer(host=name, base_url=str(client.base_url), closing=closing)
        self.once = client.with_options(max_retries=0)

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Send a training file once from an open handle; OutcomeUnknownError when the answer is lost."""

        def send() -> Any:
            with path.open("rb") as stream:
                return self.once.files.create(
                    file=(filename, stream, "application/jsonl"),
                    purpose=UPLOAD_PURPOSE,
                    extra_headers={"Idempotency-Key": key},
                )

        return self._create(send, f"the upload of {filename}", self.explain.refusal, file_of)

    def start_upload(self, filename: str, size_bytes: int) -> str:
        """Announce a training file that comes in parts; uploads that nobody completes end by themselves."""
        return self._read(
            lambda: self.client.uploads.create(
                filename=filename, bytes=size_bytes, mime_type="text/jsonl", purpose=UPLOAD_PURPOSE
            ),
            _id_of,
        )

    def send_part(self, upload_id: str, content: RawIOBase) -> str:
        """Send a part of an upload; its ID."""
        data: Any = ("part", content, "application/octet-stream")
        return self._read(lambda: self.client.uploads.parts.create(upload_id, data=data), _id_of)

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], *, md5: str) -> RemoteFile:
        """Make a file of parts in their order; OutcomeUnknownError when the answer is lost."""

        def complete() -> Any:
            done = self.once.uploads.complete(upload_id, part_ids=list(part_ids), md5=md5)
            return done.file

        return self._create(complete, f"completing {upload_id}", self.explain.refusal, file_of)

    def retrieve_file(self, file_id: str) -> RemoteFile:
        """One file; NotFoundError when it is gone."""
        return self._read(lambda: self.client.files.retrieve(file_id), file_of)

    def list_files(self, limit: int) -> list[RemoteFile]:
        """Files, newest first."""
        files = self.client.files
        return self._listed(lambda: files.list(limit=min(limit, 10_000)), limit, file_of)

    def file_sha256(self, file_id: str) -> str | None:
        """Hash of a file's content; None where the host does not give training files back."""
        digest = hashlib.sha256()
        return digest.hexdigest() if self._read_content(file_id, digest.update) else None

    def download_file(self, file_id: str, target: Path, limit_bytes: int) -> bool:
        """Write a file's content; False where the host does not give training files back.

        Raises ProviderError when it is longer than `limit_bytes`.
        """
        with target.open("wb") as stream:

            def write(chunk: bytes) -> None:
                if stream.tell() + len(chunk) > limit_bytes:
                    raise ProviderError(
                        f"{self.name} sends more for {file_id} than the {limit_bytes:,} bytes it has."
                    )
                stream.write(chunk)

            return self._read_content(file_id, write)

    def _read_content(self, file_id: str, take: Callable[[bytes], object]) -> bool:
        try:
            with self.client.files.with_streaming_response.content(file_id) as response:
                for chunk in response.iter_bytes():
                    take(chunk)
        except openai.APIStatusError:
            return False
        except httpx2.HTTPError as error:
            # The SDK wraps what goes wrong up to the headers only.
            raise self.explain.lost(error) from error
        except CALL_ERRORS as error:
            raise self.explain.refusal(error) from error
        return True

    def delete_file(self, file_id: str) -> None:
        """Delete one file."""
        self._read(lambda: self.client.files.delete(file_id), _as_it_is)

    def create_job(self, request: JobRequest) -> Job:
        """Start a job once; OutcomeUnknownError when the answer is lost, FileNotReadyError when too early."""
        body: dict[str, Any] = {
            "model": request.model,
            "training_file": request.training_file,
            "method": {"type": request.method, request.method: _method(request)},
            "seed": request.seed,
            "metadata": {JOB_KEY_METADATA: request.key, "finetune_recipe": request.recipe},
        }
        if request.validation_file is not None:
            body["validation_file"] = request.validation_file
        if request.suffix is not None:
            body["suffix"] = request.suffix
        headers = {"Idempotency-Key": request.key}
        if request.allow_network:
            headers["X-Finetune-Allow-Network"] = "1"
        if request.allow_code:
            headers["X-Finetune-Allow-Code"] = "1"
        jobs = self.once.fine_tuning.jobs
        return self._create(
            lambda: jobs.create(**body, extra_headers=headers, extra_body=dict(request.options)),
            "the job",
            self.explain.job_refusal,
            job_of,
        )

    def find_jobs(self, key: str) -> list[Job]:
        """The jobs that carry a job key in their metadata, oldest first.

        Hosts that ignore the filter send every job, so the answer is filtered here again. Raises
        ProviderError where there are too many to be certain.
        """
        jobs = self.client.fine_tuning.jobs
        wanted = {JOB_KEY_METADATA: key}
        listed = self._listed(lambda: jobs.list(limit=100, metadata=wanted), MAX_SEARCHED_JOBS, job_of)
        found = [job for job in listed if job.metadata.get(JOB_KEY_METADATA) == key]
        if not found and len(listed) >= MAX_SEARCHED_JOBS:
            raise ProviderError(
                f"{self.name} ignores the metadata filter and lists {MAX_SEARCHED_JOBS:,} jobs or more, so "
                "the job of this run cannot be looked for. Set `keeps_metadata = false` in its host entry: "
                "a job is then told by its training file."
            )
        return sorted(found, key=lambda job: (job.created_at, job.id))

    def retrieve_job(self, job_id: str) -> Job:
        """One job; NotFoundError when there is none."""
        return self._read(lambda: self.client.fine_tuning.jobs.retrieve(job_id), job_of)

    def list_jobs(self, limit: int) -> list[Job]:
        """Jobs, newest first."""
        jobs = self.client.fine_tuning.jobs
        return self._listed(lambda: jobs.list(limit=min(limit, 100)), limit, job_of)

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job; one that is cancelled already, by a request whose answer was lost too, stays so."""
        try:
            return self._read(lambda: self.client.fine_tuning.jobs.cancel(job_id), job_of)
        except (ConnectionLostError, NotFoundError):
            raise
        except ProviderError:
            job = self.retrieve_job(job_id)
            if job.status != "cancelled":
                raise
            return job

    def list_events(self, job_id: str, limit: int) -> list[Event]:
        """The latest events of a job, oldest first."""
        if not self.lists_events:
            return []
        jobs = self.client.fine_tuning.jobs
        listed = self._listed(lambda: jobs.list_events(job_id, limit=min(limit, 100)), limit, event_of)
        # The service sends the newest first; reversing keeps its order where seconds tie.
        return listed[::-1]

    def list_checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints of a job by step."""
        if not self.lists_checkpoints:
            return []
        checkpoints = self.client.fine_tuning.jobs.checkpoints
        listed = self._listed(lambda: checkpoints.list(job_id, limit=100), MAX_CHECKPOINTS, checkpoint_of)
        return sorted(listed, key=lambda checkpoint: checkpoint.step)

    def list_models(self, limit: int) -> list[RemoteModel]:
        """The models of the account, in the provider's order."""
        return self._listed(self.client.models.list, limit, model_of)

    def retrieve_model(self, model: str) -> RemoteModel:
        """One model; NotFoundError when there is none."""
        return self._read(lambda: self.client.models.retrieve(model), model_of)

    def delete_model(self, model: str) -> None:
        """Delete one fine-tuned model."""
        self._read(lambda: self.client.models.delete(model), _as_it_is)

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """The answer in pieces, as it comes."""
        completions = self.client.chat.completions
        stream = self._read(lambda: completions.create(stream=True, **_chat_body(request)), _as_it_is)
        try:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content
        except CALL_ERRORS as error:
            raise self.explain.refusal(error) from error
        except SHAPE_ERRORS as error:
            raise self.explain.unreadable() from error

    def complete(self, request: ChatRequest) -> Completion:
        """The whole answer. A lost one is asked for again ASKED_AGAIN times, with growing pauses."""
        completions = self.client.with_options(max_retries=ASKED_AGAIN).chat.completions
        return self._read(lambda: completions.create(**_chat_body(request)), completion_of)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def _listed(self, first_page: Callable[[], Any], limit: int, made: Callable[[Any], T]) -> list[T]:
        """Up to `limit` items, page by page; a page without anything new ends the list."""

        def read() -> list[T]:
            seen: dict[str, Any] = {}
            for page in first_page().iter_pages():
                fresh = {item.id: item for item in page.data or () if item.id not in seen}
                seen |= fresh
                # A server that ignores `after` sends the first page for ever.
                if not fresh or len(seen) >= limit:
                    break
            return [made(item) for item in list(seen.values())[:limit]]

        return self._read(read, _as_it_is)

    def _read(self, request: Callable[[], Any], made: Callable[[Any], T]) -> T:
        try:
            return made(request())
        except CALL_ERRORS as error:
            raise self.explain.refusal(error) from error
        except SHAPE_ERRORS as error:
            raise self.explain.unreadable() from error

    def _create(
        self,
        request: Callable[[], Any],
        what: str,
        refused: Callable[[Exception], ProviderError],
        made: Callable[[Any], T],
    ) -> T:
        try:
            answer = request()
            if getattr(answer, "id", None):
                return made(answer)
        except CALL_ERRORS as error:
            raise (self.explain.uncertainty(error, what) or refused(error)) from error
        except SHAPE_ERRORS as error:
            raise self.explain.unconfirmed(what, "an answer of another shape") from error
        raise self.explain.unconfirmed(what, "an answer without an ID")


def _as_it_is(answer: Any) -> Any:
    return answer


def _id_of(answer: Any) -> str:
    return str(answer.id)


def _method(request: JobRequest) -> dict[str, Any]:
    grader = {} if request.grader is None else {"grader": dict(request.grader)}
    return {**grader, "hyperparameters": dict(request.hyperparameters)}


def _chat_body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [dict(message) for message in request.messages],
        "temperature": request.temperature,
        **request.beside,
    }
    if request.max_tokens is not None:
        body["max_completion_tokens"] = request.max_tokens
    if request.seed is not None:
        body["seed"] = request.seed
    return body
