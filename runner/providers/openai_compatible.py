"""One adapter for every host of the OpenAI fine-tuning shape, on the openai SDK."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runner.display import neutralise, one_line
from runner.errors import ProviderError
from runner.providers.base import (
    JOB_KEY_METADATA,
    ChatRequest,
    Checkpoint,
    ConnectionLostError,
    Event,
    Job,
    JobError,
    JobRequest,
    NotFoundError,
    OutcomeUnknownError,
    RemoteFile,
    RemoteModel,
)

if TYPE_CHECKING:
    from openai import OpenAI

# A list is read page by page up to here; an endless one means a server that ignores `after`.
MAX_LISTED = 1_000
# Answers after which the server may have acted: https://datatracker.ietf.org/doc/html/rfc9110#section-15
# 429 counts as unknown because gateways answer it after forwarding.
UNKNOWN_STATUSES = (408, 409, 429)


class OpenAICompatible:
    """A provider behind a base URL. Reads are retried by the SDK; creates are sent exactly once."""

    def __init__(self, client: "OpenAI", name: str) -> None:
        self.client = client
        self.name = name
        self.once = client.with_options(max_retries=0)

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Send a training file once from an open handle; OutcomeUnknownError when the answer is lost."""

        def send() -> Any:
            with path.open("rb") as stream:
                return self.once.files.create(
                    file=(filename, stream, "application/jsonl"),
                    purpose="fine-tune",
                    extra_headers={"Idempotency-Key": key},
                )

        file = _file(self._create(send, f"the upload of {filename}"))
        if file.filename != filename or file.size_bytes != path.stat().st_size:
            raise ProviderError(
                f"{self.name} says it stored '{one_line(file.filename)}' with {file.size_bytes} bytes, "
                f"expected '{filename}' with {path.stat().st_size}. Nothing was started; check the provider."
            )
        return file

    def retrieve_file(self, file_id: str) -> RemoteFile:
        """One file; NotFoundError when it is gone."""
        return _file(self._read(lambda: self.client.files.retrieve(file_id)))

    def list_files(self, limit: int) -> list[RemoteFile]:
        """Files, newest first."""
        page = self._read(lambda: list(islice(self.client.files.list(limit=min(limit, 10_000)), limit)))
        return [_file(item) for item in page]

    def file_sha256(self, file_id: str) -> str | None:
        """Hash of a file's content; None where the host does not give training files back."""
        import httpx2
        import openai

        digest = hashlib.sha256()
        try:
            with self.client.files.with_streaming_response.content(file_id) as response:
                for chunk in response.iter_bytes():
                    digest.update(chunk)
        except openai.APIStatusError:
            return None
        except openai.OpenAIError as error:
            raise self._refusal(error) from error
        except httpx2.HTTPError as error:
            # The SDK wraps what goes wrong up to the headers only.
            raise self._lost(str(error)) from error
        return digest.hexdigest()

    def delete_file(self, file_id: str) -> None:
        """Delete one file."""
        self._read(lambda: self.client.files.delete(file_id))

    def create_job(self, request: JobRequest) -> Job:
        """Start a job once; OutcomeUnknownError when the answer is lost."""
        body: dict[str, Any] = {
            "model": request.model,
            "training_file": request.training_file,
            "method": {
                "type": request.method,
                request.method: {"hyperparameters": dict(request.hyperparameters)},
            },
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
        jobs = self.once.fine_tuning.jobs
        return _job(self._create(lambda: jobs.create(**body, extra_headers=headers), "the job"))

    def find_jobs(self, key: str) -> list[Job]:
        """The jobs that carry a job key in their metadata, oldest first.

        Hosts that ignore the filter send every job, so the answer is filtered here again.
        """
        jobs = self.client.fine_tuning.jobs
        listed = self._read(lambda: self._bounded(jobs.list(limit=100, metadata={JOB_KEY_METADATA: key})))
        found = [job for job in map(_job, listed) if job.metadata.get(JOB_KEY_METADATA) == key]
        return sorted(found, key=lambda job: (job.created_at, job.id))

    def retrieve_job(self, job_id: str) -> Job:
        """One job; NotFoundError when there is none."""
        return _job(self._read(lambda: self.client.fine_tuning.jobs.retrieve(job_id)))

    def list_jobs(self, limit: int) -> list[Job]:
        """Jobs, newest first."""
        jobs = self.client.fine_tuning.jobs
        listed = self._read(lambda: list(islice(jobs.list(limit=min(limit, 100)), limit)))
        return [_job(item) for item in listed]

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job."""
        return _job(self._read(lambda: self.client.fine_tuning.jobs.cancel(job_id)))

    def list_events(self, job_id: str, limit: int) -> list[Event]:
        """The latest events of a job, oldest first."""
        jobs = self.client.fine_tuning.jobs
        listed = self._read(lambda: list(islice(jobs.list_events(job_id, limit=min(limit, 100)), limit)))
        # The service sends the newest first; reversing keeps its order where seconds tie.
        return [_event(item) for item in reversed(listed)]

    def list_checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints of a job by step."""
        checkpoints = self.client.fine_tuning.jobs.checkpoints
        listed = self._read(lambda: self._bounded(checkpoints.list(job_id, limit=100)))
        return sorted(map(_checkpoint, listed), key=lambda checkpoint: checkpoint.step)

    def list_models(self) -> list[RemoteModel]:
        """The models of the account."""
        listed = self._read(lambda: self._bounded(self.client.models.list()))
        return [
            RemoteModel(id=item.id, created_at=item.created or 0, owned_by=item.owned_by or "")
            for item in listed
        ]

    def delete_model(self, model: str) -> None:
        """Delete one fine-tuned model."""
        self._read(lambda: self.client.models.delete(model))

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """The answer in pieces, as it comes."""
        options: dict[str, Any] = {"temperature": request.temperature}
        if request.max_tokens is not None:
            options["max_completion_tokens"] = request.max_tokens
        messages: Any = [dict(message) for message in request.messages]
        completions = self.client.chat.completions
        stream = self._read(
            lambda: completions.create(model=request.model, messages=messages, stream=True, **options)
        )
        for chunk in self._pieces(stream):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def _pieces(self, stream: Any) -> Iterator[Any]:
        import openai

        try:
            yield from stream
        except openai.OpenAIError as error:
            raise self._refusal(error) from error

    def _bounded(self, first: Any) -> list[Any]:
        seen: dict[str, Any] = {}
        for page in first.iter_pages():
            fresh = {item.id: item for item in page.data or () if item.id not in seen}
            # A page without anything new is the end, or comes from a server that ignores `after`.
            if not fresh or len(seen) >= MAX_LISTED:
                break
            seen |= fresh
        return list(seen.values())

    def _read(self, request: Callable[[], Any]) -> Any:
        import openai

        try:
            return request()
        except (openai.OpenAIError, ValueError) as error:
            raise self._refusal(error) from error

    def _create(self, request: Callable[[], Any], what: str) -> Any:
        import openai

        try:
            answer = request()
        except openai.APIStatusError as error:
            if error.status_code >= 500 or error.status_code in UNKNOWN_STATUSES:
                raise self._unknown(what, f"HTTP {error.status_code}: {_said(error)}") from error
            raise self._refusal(error) from error
        except openai.APIConnectionError as error:
            if _never_sent(error):
                raise self._refusal(error) from error
            raise self._unknown(what, str(error)) from error
        except (openai.OpenAIError, ValueError) as error:
            raise self._unknown(what, str(error)) from error
        if not getattr(answer, "id", None):
            raise self._unknown(what, "an answer without an ID")
        return answer

    def _unknown(self, what: str, reason: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"{self.name} did not confirm {what} ({one_line(reason, limit=200)}). It may exist; "
            "the same command looks for it before anything is sent again."
        )

    def _lost(self, cause: str) -> ConnectionLostError:
        return ConnectionLostError(
            f"{self.name} cannot be reached at {self.client.base_url}: {one_line(cause, limit=200)}. "
            "Check the network and repeat the command."
        )

    def _refusal(self, error: Exception) -> ProviderError:
        import openai

        if isinstance(error, openai.NotFoundError):
            return NotFoundError(f"{self.name}: {_said(error)}")
        if isinstance(error, openai.AuthenticationError):
            return ProviderError(f"{self.name} refused the key: {_said(error)}. Check the key's variable.")
        if isinstance(error, openai.APIStatusError):
            return ProviderError(f"{self.name} answered HTTP {error.status_code}: {_said(error)}")
        if isinstance(error, openai.APIConnectionError):
            return self._lost(_cause(error))
        return ProviderError(f"{self.name} sent an answer that cannot be read: {one_line(str(error))}")


def connect(name: str, base_url: str, api_key: str, *, send_organization: bool = False) -> OpenAICompatible:
    """A provider at a URL; redirects are refused, so a key and data go to the named host alone.

    The SDK's own environment variables for organisation and project apply only where the host wants them, and
    a proxy never stands between the runner and this machine.
    """
    import openai

    loopback = urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
    client = openai.OpenAI(
        base_url=base_url,
        api_key=api_key,
        http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not loopback),
    )
    if not send_organization:
        client.organization = client.project = None
    return OpenAICompatible(client, name)


def _said(error: Any) -> str:
    body = error.body if isinstance(getattr(error, "body", None), dict) else {}
    message = body.get("message") or str(error) or "no message"
    return one_line(str(message), limit=500)


def _cause(error: Exception) -> str:
    return one_line(str(error.__cause__ or error), limit=200)


def _never_sent(error: Exception) -> bool:
    """Whether the connection was not even made, so that the server cannot have acted."""
    cause = error.__cause__
    return type(cause).__name__ in ("ConnectError", "ConnectTimeout")


def _file(item: Any) -> RemoteFile:
    return RemoteFile(
        id=item.id,
        filename=item.filename or "",
        size_bytes=item.bytes or 0,
        purpose=item.purpose or "",
        created_at=item.created_at or 0,
        status=getattr(item, "status", None),
    )


def _job(item: Any) -> Job:
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
        error=_job_error(item.error),
        hyperparameters=_hyperparameters(item),
        metadata=dict(item.metadata or {}),
        result_files=tuple(item.result_files or ()),
        weights_platform=weights.get("platform"),
        weights_sha256=weights.get("sha256"),
    )


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


def _event(item: Any) -> Event:
    data = item.data if isinstance(item.data, dict) else {}
    return Event(
        id=item.id,
        created_at=item.created_at or 0,
        level=item.level or "info",
        message=neutralise(item.message or ""),
        type=item.type or "message",
        data=data,
    )


def _checkpoint(item: Any) -> Checkpoint:
    metrics = item.metrics.model_dump() if item.metrics is not None else {}
    return Checkpoint(
        id=item.id,
        step=item.step_number or 0,
        model=item.fine_tuned_model_checkpoint or "",
        metrics={name: value for name, value in metrics.items() if value is not None},
    )
