"""Every route answers with what the SDK's types say; no route is left out."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import openai
import pytest
from openai import types
from openai.types import chat, fine_tuning, uploads
from openai.types.fine_tuning import alpha, checkpoints
from openai.types.fine_tuning import jobs as job_types
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from runner.graders.model import Metric
from runner.graders.parse import FIELDS
from runner.graders.similarity import UNSUPPORTED
from runner.local.service.app import make_app
from runner.local.service.chat_schema import NEUTRAL, OUTDATED, PROPERTIES
from tests.graders.test_parse import CHECK
from tests.local import fake_worker
from tests.local.harness import RunningService, call, finished, lines, post_form, upload, wait_for, worker_pid

CHAT = {"model": "tiny-1", "messages": [{"role": "user", "content": "hello"}]}
ENDLESS = {"model": "tiny-1", "messages": [{"role": "user", "content": "for ever"}]}
BATCH_LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}


class Page(BaseModel):
    """What every list of the API has around its data."""

    object: str
    data: list[Any]
    has_more: bool


ANSWERS: dict[str, Any] = {
    "POST /files": types.FileObject,
    "GET /files": types.FileObject,
    "GET /files/{id}": types.FileObject,
    "DELETE /files/{id}": types.FileDeleted,
    "GET /files/{id}/content": bytes,
    "POST /uploads": types.Upload,
    "POST /uploads/{id}/parts": uploads.UploadPart,
    "POST /uploads/{id}/complete": types.Upload,
    "POST /uploads/{id}/cancel": types.Upload,
    "POST /fine_tuning/jobs": fine_tuning.FineTuningJob,
    "GET /fine_tuning/jobs": fine_tuning.FineTuningJob,
    "GET /fine_tuning/jobs/{id}": fine_tuning.FineTuningJob,
    "POST /fine_tuning/jobs/{id}/cancel": fine_tuning.FineTuningJob,
    "POST /fine_tuning/jobs/{id}/pause": fine_tuning.FineTuningJob,
    "POST /fine_tuning/jobs/{id}/resume": fine_tuning.FineTuningJob,
    "GET /fine_tuning/jobs/{id}/events": fine_tuning.FineTuningJobEvent,
    "GET /fine_tuning/jobs/{id}/checkpoints": job_types.FineTuningJobCheckpoint,
    "POST /fine_tuning/checkpoints/{checkpoint}/permissions": checkpoints.PermissionCreateResponse,
    "GET /fine_tuning/checkpoints/{checkpoint}/permissions": checkpoints.PermissionListResponse,
    "DELETE /fine_tuning/checkpoints/{checkpoint}/permissions/{id}": checkpoints.PermissionDeleteResponse,
    "POST /fine_tuning/alpha/graders/run": alpha.GraderRunResponse,
    "POST /fine_tuning/alpha/graders/validate": alpha.GraderValidateResponse,
    "GET /models": types.Model,
    "GET /models/{name}": types.Model,
    "DELETE /models/{name}": types.ModelDeleted,
    "POST /chat/completions": chat.ChatCompletion,
    "GET /chat/completions": chat.ChatCompletion,
    "GET /chat/completions/{id}": chat.ChatCompletion,
    "POST /chat/completions/{id}": chat.ChatCompletion,
    "DELETE /chat/completions/{id}": chat.ChatCompletionDeleted,
    "GET /chat/completions/{id}/messages": Mapping[str, Any],
    "POST /batches": types.Batch,
    "GET /batches": types.Batch,
    "GET /batches/{id}": types.Batch,
    "POST /batches/{id}/cancel": types.Batch,
}
GAPS = {(("status",), "paused"), (("purpose",), "evals")}
LISTS = {
    "POST /fine_tuning/checkpoints/{checkpoint}/permissions",
    *(
        route
        for route in ANSWERS
        if route.startswith("GET ") and not route.endswith(("{id}", "{name}", "/content"))
    ),
}


def routes_of(app: Starlette) -> set[str]:
    """The routes under /v1, without Starlette's converters."""
    [mount] = [route for route in app.routes if isinstance(route, Mount)]
    return {
        f"{method} {route.path.replace(':path', '')}"
        for route in mount.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_no_route_is_left_out() -> None:
    """A new route needs a line here."""
    app = make_app(None, lambda _: None)  # type: ignore[arg-type]

    assert routes_of(app) == ANSWERS.keys()


class World:
    """One object of every kind, made anew for what is deleted or ended."""

    def __init__(self, service: RunningService, client: openai.OpenAI) -> None:
        self._service = service
        self._client = client
        self.job = finished(client, self.new_job())
        self.checkpoint = client.fine_tuning.jobs.checkpoints.list(self.job.id).data[0]
        self.model = self.job.fine_tuned_model

    def new_job(self, seed: int = fake_worker.SUCCEEDS) -> str:
        """A job; the seed chooses what its worker does."""
        file, jobs = upload(self._client).id, self._client.fine_tuning.jobs
        return jobs.create(model="tiny-1", training_file=file, seed=seed).id

    def running_job(self) -> str:
        """A job in the middle of its training."""
        job_id = self.new_job(fake_worker.WAITS)
        worker_pid(self._service.layout, job_id)
        return job_id

    def upload(self) -> tuple[str, list[str]]:
        """A pending upload and its only part."""
        created = self._client.uploads.create(
            filename="a", purpose="fine-tune", bytes=len(lines()), mime_type="text/jsonl"
        )
        return created.id, [self._client.uploads.parts.create(created.id, data=lines()).id]

    def chat(self) -> str:
        """A stored answer."""
        return self._client.chat.completions.create(**CHAT, store=True).id

    def batch_input(self, chat: Any = CHAT) -> str:
        """A file of one request."""
        content = json.dumps({**BATCH_LINE, "body": chat}).encode()
        return self._client.files.create(file=("a.jsonl", content), purpose="batch").id

    def batch(self, chat: Any = CHAT) -> str:
        """A batch of one request."""
        body: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
        return self._client.batches.create(input_file_id=self.batch_input(chat), **body).id

    def permission(self) -> str:
        """A permission for the checkpoint."""
        name = self.checkpoint.fine_tuned_model_checkpoint
        permissions = self._client.fine_tuning.checkpoints.permissions
        return permissions.create(name, project_ids=["proj_a"]).data[0].id

    def answer(self, route: str) -> tuple[int, Any]:
        """Ask a route for something that it can do."""
        method, path = route.split()
        path = f"/v1{path}"
        if route == "POST /files":
            return post_form(self._service, {"purpose": "fine-tune"})
        if route == "POST /uploads/{id}/parts":
            return post_form(self._service, {}, path.format(id=self.upload()[0]), "data")
        names, body = self._request(route)
        values = {name: quote(value, safe=":") for name, value in names.items()}
        return call(self._service, method, path.format(**values), body)

    def _request(self, route: str) -> tuple[dict[str, str], Any]:
        """The names in a route's path, and its body."""
        checkpoint = {"checkpoint": self.checkpoint.fine_tuned_model_checkpoint}
        upload_id, part_ids = self.upload() if "/uploads/" in route else ("", [])
        makers: dict[str, Any] = {
            "POST /uploads": lambda: (
                {},
                {"filename": "a", "purpose": "fine-tune", "bytes": 3, "mime_type": "text/jsonl"},
            ),
            "POST /uploads/{id}/complete": lambda: ({"id": upload_id}, {"part_ids": part_ids}),
            "POST /uploads/{id}/cancel": lambda: ({"id": upload_id}, None),
            "POST /fine_tuning/jobs": lambda: (
                {},
                {"model": "tiny-1", "training_file": upload(self._client).id, "seed": fake_worker.SUCCEEDS},
            ),
            "POST /fine_tuning/jobs/{id}/cancel": lambda: ({"id": self.running_job()}, None),
            "POST /fine_tuning/jobs/{id}/pause": lambda: ({"id": self.running_job()}, None),
            "POST /fine_tuning/jobs/{id}/resume": lambda: ({"id": self.paused_job()}, None),
            "POST /fine_tuning/checkpoints/{checkpoint}/permissions": lambda: (
                checkpoint,
                {"project_ids": ["proj_a"]},
            ),
            "GET /fine_tuning/checkpoints/{checkpoint}/permissions": lambda: (
                checkpoint if self.permission() else {},
                None,
            ),
            "POST /batches/{id}/cancel": lambda: ({"id": self.batch(ENDLESS)}, None),
            "DELETE /fine_tuning/checkpoints/{checkpoint}/permissions/{id}": lambda: (
                {**checkpoint, "id": self.permission()},
                None,
            ),
            "POST /fine_tuning/alpha/graders/run": lambda: (
                {},
                {"grader": CHECK, "model_sample": "a", "item": {"reference": "a"}},
            ),
            "POST /fine_tuning/alpha/graders/validate": lambda: ({}, {"grader": CHECK}),
            "GET /models/{name}": lambda: ({"name": self.model}, None),
            "DELETE /models/{name}": lambda: ({"name": self.other_model()}, None),
            "POST /chat/completions": lambda: ({}, CHAT),
            "POST /chat/completions/{id}": lambda: ({"id": self.chat()}, {"metadata": {"a": "b"}}),
            "POST /batches": lambda: (
                {},
                {
                    "input_file_id": self.batch_input(),
                    "endpoint": "/v1/chat/completions",
                    "completion_window": "24h",
                },
            ),
        }
        if route in makers:
            return makers[route]()
        return {"id": self._id_for(route)} if "{id}" in route else {}, None

    def _id_for(self, route: str) -> str:
        if "/files/" in route:
            return upload(self._client).id
        if "/jobs/" in route:
            return self.job.id
        return self.chat() if "/chat/" in route else self.batch()

    def paused_job(self) -> str:
        """A job that waits for its owner."""
        return self._client.fine_tuning.jobs.pause(self.running_job()).id

    def other_model(self) -> str:
        """A model that may be deleted."""
        return finished(self._client, self.new_job()).fine_tuned_model


@pytest.fixture(scope="module")
def world(service: RunningService, client: openai.OpenAI) -> World:
    """One object of every kind."""
    made = World(service, client)
    made.chat()
    made.batch()
    return made


@pytest.mark.parametrize("route", sorted(ANSWERS))
def test_an_answer_is_what_the_sdk_expects(
    world: World, client: openai.OpenAI, service: RunningService, route: str
) -> None:
    """Strictly: no number for a text, no null for a value."""
    status, body = world.answer(route)
    if route.endswith(("/pause", "/resume")):
        client.fine_tuning.jobs.cancel(body["id"])

    assert status == 200, body
    if ANSWERS[route] is bytes:
        assert body == lines()
        return
    found = [body]
    if route in LISTS:
        # The list of models has no pages.
        assert Page.model_validate({"has_more": False, **body}, strict=True).data, route
        found = body["data"]
    for value in found:
        check(ANSWERS[route], value)


def check(kind: Any, value: Any) -> None:
    """Validate strictly, but for the two words that the SDK's types do not know."""
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        problems = {(problem["loc"], problem["input"]) for problem in error.errors()}
        assert problems <= GAPS, problems


def test_a_streamed_answer_is_what_the_sdk_expects(client: openai.OpenAI) -> None:
    """Every chunk of it."""
    chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))

    assert len(chunks) > 2
    for chunk in chunks:
        chat.ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)


def test_a_failed_job_is_what_the_sdk_expects(client: openai.OpenAI, service: RunningService) -> None:
    """With its error."""
    body: Any = {"model": "tiny-1", "training_file": upload(client, lines(3)).id}
    job_id = client.fine_tuning.jobs.create(**body).id
    wait_for(lambda: client.fine_tuning.jobs.retrieve(job_id).status == "failed")
    _, found = call(service, "GET", f"/v1/fine_tuning/jobs/{job_id}")

    check(fine_tuning.FineTuningJob, found)
    assert found["error"]["code"] == "invalid_n_examples"


def documented(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading of the reference."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "service.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| (.*?) \|", section, flags=re.MULTILINE)
    return {name: text for names, text in rows for name in re.findall(r"`(.+?)`", names)}


def test_the_reference_lists_every_route() -> None:
    """With what is covered of it."""
    found = documented("Routes")

    assert found.keys() == ANSWERS.keys()
    assert set(found.values()) == {"covered", "partly"}


def test_the_reference_lists_every_parameter_of_a_chat() -> None:
    """Refused ones too."""
    assert documented("Chats").keys() == {*PROPERTIES, *NEUTRAL, *OUTDATED}


def test_the_reference_lists_every_grader() -> None:
    """And every metric."""
    assert documented("Graders").keys() == {*FIELDS, *get_args(Metric), *UNSUPPORTED}
