"""Gives the fixed, made-up IDs of openai-python's own tests a meaning at a running service.

Those tests were written for a mock that knows every ID. Here each made-up ID, and each name of a hosted base
model, is swapped for a real one on its way to the service; whatever a test ends or deletes is made anew for
it. Nothing else of a request is changed, and nothing of an answer.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

import openai

from scripts.service_proxy import Answer, Forward, Request

LINES = b"".join(
    json.dumps(
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]}
    ).encode()
    + b"\n"
    for n in range(10)
)
CHAT: Any = [{"role": "user", "content": "hello"}]
HOSTED_MODEL = re.compile(r"(gpt|o\d|text)-[\w.-]+")
BASE_MODEL = "tiny-1"
MODELS_PER_JOB = 4


class Adapter:
    """Objects of every kind at a service, and the requests that need them."""

    def __init__(self, client: openai.OpenAI, n_models: int) -> None:
        self._client = client
        self._lock = Lock()
        self._file = self.file()
        self._chat = self.chat()
        self._batch = self.batch()
        jobs = [self._train() for _ in range(-(-n_models // MODELS_PER_JOB) + 1)]
        self._job, *others = [self._finished(job) for job in jobs]
        self._model = self._job.fine_tuned_model
        [self._checkpoint, *_] = self._checkpoints(self._job)
        # Checkpoints before the model that they are part of.
        self._models = [model for job in others for model in [job.fine_tuned_model, *self._checkpoints(job)]]

    def __call__(self, request: Request, forward: Forward) -> Answer:
        """Pass a request on with real IDs."""
        swapped = self._with_body(self._with_path(request))
        answer = forward(swapped)
        if swapped.path.endswith("/pause"):
            # Lists would show it to the tests that follow; the SDK's type does not know the status.
            self._client.fine_tuning.jobs.cancel(swapped.path.split("/")[-2])
        return answer

    def file(self) -> str:
        """A training file."""
        return self._client.files.create(file=("train.jsonl", LINES), purpose="fine-tune").id

    def chat(self) -> str:
        """A stored answer."""
        chats = self._client.chat.completions
        return chats.create(model=BASE_MODEL, messages=CHAT, max_tokens=4, store=True).id

    def batch_input(self) -> str:
        """A file of requests."""
        body = {"model": BASE_MODEL, "messages": CHAT, "max_tokens": 4}
        requests = [
            {"custom_id": str(n), "method": "POST", "url": "/v1/chat/completions", "body": body}
            for n in range(200)
        ]
        content = b"".join(json.dumps(line).encode() + b"\n" for line in requests)
        return self._client.files.create(file=("in.jsonl", content), purpose="batch").id

    def batch(self) -> str:
        """A batch that takes a while."""
        body: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
        return self._client.batches.create(input_file_id=self.batch_input(), **body).id

    def upload(self) -> str:
        """A pending upload."""
        created = self._client.uploads.create(
            filename="a.jsonl", purpose="fine-tune", bytes=len(LINES), mime_type="text/jsonl"
        )
        return created.id

    def job(self) -> str:
        """A job that waits for its turn, or trains."""
        return self._client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=self._file).id

    def paused_job(self) -> str:
        """A job that can be resumed."""
        return self._client.fine_tuning.jobs.pause(self.job()).id

    def permission(self) -> str:
        """A permission for the checkpoint."""
        permissions = self._client.fine_tuning.checkpoints.permissions
        return permissions.create(self._checkpoint, project_ids=["proj_sdk"]).data[0].id

    def model(self) -> str:
        """A model that may be deleted."""
        with self._lock:
            return self._models.pop()

    def _with_path(self, request: Request) -> Request:
        swaps: dict[str, tuple[str, Callable[[], str]]] = {
            r"DELETE /files/([^/]+)": ("", self.file),
            r"GET /files/([^/]+)(?:/content)?": ("", lambda: self._file),
            r"POST /uploads/([^/]+)/\w+": ("", self.upload),
            r"POST /fine_tuning/jobs/([^/]+)/resume": ("", self.paused_job),
            r"POST /fine_tuning/jobs/([^/]+)/\w+": ("", self.job),
            r"GET /fine_tuning/jobs/([^/]+)(?:/\w+)?": ("", lambda: self._job.id),
            r"\w+ /fine_tuning/checkpoints/([^/]+)/permissions.*": ("", lambda: self._checkpoint),
            r"DELETE /models/([^/]+)": ("", self.model),
            r"GET /models/([^/]+)": ("", lambda: self._model),
            r"DELETE /chat/completions/([^/]+)": ("", self.chat),
            r"\w+ /chat/completions/([^/]+)(?:/\w+)?": ("", lambda: self._chat),
            r"POST /batches/([^/]+)/cancel": ("", self.batch),
            r"GET /batches/([^/]+)": ("", lambda: self._batch),
        }
        path = request.path
        for pattern, (_, make) in swaps.items():
            found = re.fullmatch(pattern, f"{request.method} {request.path}")
            if found:
                start, end = (place - len(request.method) - 1 for place in found.span(1))
                path = path[:start] + make() + path[end:]
                break
        path = re.sub(r"/permissions/[^/]+$", lambda _: f"/permissions/{self.permission()}", path)
        query = tuple(
            (name, _real_model(value) if name == "model" else value) for name, value in request.query
        )
        return replace(request, path=f"/v1{path}", query=query)

    def _with_body(self, request: Request) -> Request:
        if request.media_type != "application/json" or not request.body:
            return request
        body = request.json
        for name in ("training_file", "validation_file"):
            if isinstance(body.get(name), str):
                body[name] = self._file
        if "input_file_id" in body:
            body["input_file_id"] = self.batch_input()
        if isinstance(body.get("model"), str):
            body["model"] = _real_model(body["model"])
        if request.path.endswith("/complete"):
            upload_id = request.path.split("/")[-2]
            body["part_ids"] = [self._client.uploads.parts.create(upload_id, data=LINES).id]
            if "md5" in body:
                body["md5"] = hashlib.md5(LINES).hexdigest()
        return replace(request, body=json.dumps(body).encode())

    def _train(self) -> str:
        hyperparameters: Any = {"n_epochs": MODELS_PER_JOB - 1}
        jobs = self._client.fine_tuning.jobs
        return jobs.create(model=BASE_MODEL, training_file=self._file, hyperparameters=hyperparameters).id

    def _finished(self, job_id: str) -> Any:
        while (job := self._client.fine_tuning.jobs.retrieve(job_id)).finished_at is None:
            time.sleep(0.3)
        return job

    def _checkpoints(self, job: Any) -> list[str]:
        listed = self._client.fine_tuning.jobs.checkpoints.list(job.id).data
        return [checkpoint.fine_tuned_model_checkpoint for checkpoint in listed]


def _real_model(name: str) -> str:
    return BASE_MODEL if HOSTED_MODEL.fullmatch(name) else name
