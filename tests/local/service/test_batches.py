"""Batches of chat requests, through the SDK, answered by a fake model."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Batch

from runner.local.identifiers import derived_id
from tests.local.harness import RunningService, envelope, refusal, set_value, start_service, wait_for

URL = "/v1/chat/completions"
ENDS = ("completed", "failed", "expired", "cancelled")


def request(custom_id: Any, question: str = "hello", **more: Any) -> dict[str, Any]:
    """One line of an input file."""
    body = {"model": "tiny-1", "messages": [{"role": "user", "content": question}]}
    return {"custom_id": custom_id, "method": "POST", "url": URL, "body": body, **more}


def send(client: openai.OpenAI, *requests: Any, **more: Any) -> Batch:
    """Upload requests and start a batch."""
    content = b"".join(json.dumps(line).encode() + b"\n" for line in requests)
    file = client.files.create(file=("in.jsonl", content), purpose="batch").id
    return client.batches.create(input_file_id=file, endpoint=URL, completion_window="24h", **more)


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    """Wait for its end."""
    return wait_for(lambda: (found := client.batches.retrieve(batch.id)).status in ENDS and found)


def lines_of(client: openai.OpenAI, file_id: str | None) -> list[Any]:
    """The lines of an output or error file."""
    assert file_id is not None
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def refused(act: Any, *arguments: Any, **more: Any) -> tuple[int, Any]:
    """The answer to what must not be done."""
    with pytest.raises(openai.APIStatusError) as caught:
        act(*arguments, **more)
    return refusal(caught.value)


def test_a_batch_from_start_to_end(client: openai.OpenAI) -> None:
    """Answers and errors are in files of their own, in the hosted form."""
    batch = send(client, request("a", "one"), request("b", "too long"), metadata={"k": "안내"})
    assert batch.status == "validating"
    done = ended(client, batch)
    body = client.batches.with_raw_response.retrieve(batch.id).http_response.json()

    Batch.model_validate(body, strict=True)
    assert body == {
        "object": "batch",
        "id": batch.id,
        "endpoint": URL,
        "model": "tiny-1",
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": "completed",
        "output_file_id": derived_id("file", f"{batch.id}/output"),
        "error_file_id": derived_id("file", f"{batch.id}/error"),
        "created_at": batch.created_at,
        "in_progress_at": done.in_progress_at,
        "expires_at": batch.created_at + 24 * 3600,
        "finalizing_at": done.finalizing_at,
        "completed_at": done.completed_at,
        "request_counts": {"total": 2, "completed": 1, "failed": 1},
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 5,
        },
        "metadata": {"k": "안내"},
    }
    [answer] = lines_of(client, done.output_file_id)
    [failure] = lines_of(client, done.error_file_id)
    assert answer == {
        "id": answer["id"],
        "custom_id": "a",
        "response": {
            "status_code": 200,
            "request_id": answer["response"]["request_id"],
            "body": answer["response"]["body"],
        },
        "error": None,
    }
    assert answer["response"]["body"]["choices"][0]["message"]["content"] == "one "
    message = "This model's maximum context length is 8 tokens."
    assert failure["response"]["status_code"] == 400
    assert failure["response"]["body"] == envelope(message, "messages", "context_length_exceeded")
    file = client.files.retrieve(done.output_file_id)
    assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        (
            [request("a"), request("a")],
            [
                (
                    "duplicate_custom_id",
                    "The custom_id 'a' for this request is a duplicate of another request. "
                    "The custom_id parameter must be unique for each request in a batch.",
                    "custom_id",
                    2,
                )
            ],
        ),
        (
            [request(3), request("a", method="GET"), request("b", url="/v1/embeddings")],
            [
                ("missing_required_parameter", "Missing required parameter: 'custom_id'.", "custom_id", 1),
                ("invalid_method", "Invalid method: 'GET'. Expected 'POST'.", "method", 2),
                (
                    "mismatched_url",
                    "The URL provided for this request does not match the batch endpoint: expected "
                    "'/v1/chat/completions'.",
                    "url",
                    3,
                ),
            ],
        ),
        (
            [request("a"), request("b", body={"model": "other"}), request("c", body={})],
            [
                (
                    "mismatched_model",
                    "All requests of a batch must be for one model: found 'other' after 'tiny-1'.",
                    "body.model",
                    2,
                ),
                ("missing_required_parameter", "Missing required parameter: 'body.model'.", "body.model", 3),
            ],
        ),
    ],
)
def test_a_broken_file_fails_the_batch(client: openai.OpenAI, lines: Any, errors: Any) -> None:
    """Every line is named, and nothing is asked."""
    done = ended(client, send(client, *lines))

    assert done.status == "failed"
    found = [(error.code, error.message, error.param, error.line) for error in done.errors.data]
    assert found == errors
    assert done.output_file_id is None


def test_a_batch_can_be_cancelled(client: openai.OpenAI) -> None:
    """What was answered stays, and the rest is named."""
    batch = send(client, request("a"), request("b", "for ever"), request("c"))
    wait_for(lambda: client.batches.retrieve(batch.id).request_counts.completed == 1)
    cancelling = client.batches.cancel(batch.id)
    assert cancelling.status == "cancelling"
    done = ended(client, batch)

    assert done.status == "cancelled"
    assert [line["custom_id"] for line in lines_of(client, done.output_file_id)] == ["a"]
    reason = "This request was not executed because the batch was cancelled."
    assert [(line["custom_id"], line["error"]) for line in lines_of(client, done.error_file_id)] == [
        (name, {"code": "batch_cancelled", "message": reason}) for name in ("b", "c")
    ]
    message = "Cannot cancel a batch with status 'cancelled'."
    assert refused(client.batches.cancel, batch.id) == (
        400,
        envelope(message, "batch_id", "invalid_batch_status"),
    )


@pytest.fixture
def own(state: Path) -> Iterator[list[RunningService]]:
    """Services of one test on one folder."""
    started = [start_service(state)]
    yield started
    for running in started:
        if running.process.poll() is None:
            running.stop()


def test_a_batch_goes_on_after_a_restart(own: list[RunningService]) -> None:
    """What was answered is not asked again, and half a line is no answer."""
    with own[0].client() as client:
        batch = send(client, request("a", "one"), request("b", "for ever"), request("c", "three"))
        wait_for(lambda: client.batches.retrieve(batch.id).request_counts.completed == 1)
    own[0].kill()
    folder = own[0].layout.batch(batch.id)
    first = (folder / "output.jsonl").read_bytes()
    (folder / "output.jsonl").write_bytes(first + b'{"half')
    set_value(own[0], "batches", batch.id, "expires_at", 1)
    own.append(start_service(own[0].layout.state))
    with own[1].client() as client:
        done = ended(client, batch)
        assert done.status == "expired"
        assert done.request_counts.to_dict() == {"total": 3, "completed": 1, "failed": 0}
        assert client.files.content(done.output_file_id).content == first
        reason = "This request could not be executed before the completion window expired."
        assert [
            (line["custom_id"], line["response"], line["error"])
            for line in lines_of(client, done.error_file_id)
        ] == [(name, None, {"code": "batch_expired", "message": reason}) for name in ("b", "c")]
    assert not folder.exists()


def test_a_cancelled_batch_names_what_was_not_asked(own: list[RunningService]) -> None:
    """Also when the service ended before it could be."""
    with own[0].client() as client:
        batch = send(client, request("a", "for ever"), request("b"), output_expires_after=EXPIRY)
        wait_for(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    own[0].kill()
    set_value(own[0], "batches", batch.id, "status", "cancelling")
    set_value(own[0], "batches", batch.id, "cancelling_at", 1)
    own.append(start_service(own[0].layout.state))
    with own[1].client() as client:
        done = ended(client, batch)
        assert (done.status, done.output_file_id) == ("cancelled", None)
        reason = "This request was not executed because the batch was cancelled."
        assert [(line["custom_id"], line["error"]) for line in lines_of(client, done.error_file_id)] == [
            (name, {"code": "batch_cancelled", "message": reason}) for name in ("a", "b")
        ]
        file = client.files.retrieve(done.error_file_id)
        assert file.expires_at == file.created_at + 3600


EXPIRY: Any = {"anchor": "created_at", "seconds": 3600}


def test_batches_are_listed_in_pages(client: openai.OpenAI) -> None:
    """The newest first."""
    ids = [send(client, request("a")).id for _ in range(3)]

    assert [batch.id for batch in client.batches.list(limit=2)][:3] == ids[::-1]


def test_a_repeated_key_gives_the_same_batch(client: openai.OpenAI) -> None:
    """A create whose answer was lost can be sent again, but not with another body."""
    headers = {"Idempotency-Key": "batches"}
    first = send(client, request("a"), extra_headers=headers)
    body = {"input_file_id": first.input_file_id, "endpoint": URL, "completion_window": "24h"}

    assert (
        client.batches.create(**body, extra_headers=headers).id == first.id == derived_id("batch", "batches")
    )
    assert refused(client.batches.create, **body, metadata={"a": "b"}, extra_headers=headers)[0] == 409


@pytest.mark.parametrize(
    ("more", "message", "param"),
    [
        (
            {"endpoint": "/v1/embeddings"},
            "Invalid value: '/v1/embeddings'. Supported values are: '/v1/chat/completions'.",
            "endpoint",
        ),
        (
            {"completion_window": "1h"},
            "Invalid value: '1h'. Supported values are: '24h'.",
            "completion_window",
        ),
        (
            {"input_file_id": "file-none"},
            "Invalid 'input_file_id': file-none (no such file).",
            "input_file_id",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    client: openai.OpenAI, more: dict[str, Any], message: str, param: str
) -> None:
    """Before anything is queued."""
    file = client.files.create(file=("in.jsonl", b'{"a": 1}\n'), purpose="batch").id
    body = {"input_file_id": file, "endpoint": URL, "completion_window": "24h", **more}

    assert refused(client.batches.create, **body) == (400, envelope(message, param, "invalid_value"))


def test_an_unknown_batch_is_named(client: openai.OpenAI) -> None:
    """A wrong ID is not a fault."""
    expected = 404, envelope("No batch found with id 'batch_none'.", "batch_id")

    assert refused(client.batches.retrieve, "batch_none") == expected
    assert refused(client.batches.cancel, "batch_none") == expected


def test_an_empty_file_cannot_become_a_batch(client: openai.OpenAI) -> None:
    """Lines of spaces are no requests."""
    file = client.files.create(file=("in.jsonl", b"\n \n"), purpose="batch").id
    batch = client.batches.create(input_file_id=file, endpoint=URL, completion_window="24h")

    assert [error.code for error in ended(client, batch).errors.data] == ["empty_file"]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_of_batches_has_from_1_to_100(client: openai.OpenAI, limit: int) -> None:
    expected = f"Invalid 'limit': found '{limit}', expected a number from 1 to 100."
    assert (400, envelope(expected, "limit")) == refused(client.batches.list, limit=limit)
