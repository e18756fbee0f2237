"""The routes of files, through the SDK."""

from typing import Any

import openai
import pytest
from openai.types import FileObject

from runner.local.identifiers import derived_id
from tests.local.harness import RunningService, envelope, lines, post_form, refusal, set_value, upload

KEY = {"Idempotency-Key": "files"}


def test_a_file_goes_up_and_comes_back(client: openai.OpenAI) -> None:
    """Upload, retrieve, list, content and delete give the hosted shapes."""
    raw = client.files.with_raw_response.create(file=("train.jsonl", lines()), purpose="fine-tune")
    body = raw.http_response.json()
    file = FileObject.model_validate(body, strict=True)

    assert body == {
        "object": "file",
        "id": file.id,
        "bytes": len(lines()),
        "created_at": file.created_at,
        "filename": "train.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }
    assert client.files.retrieve(file.id) == file
    assert client.files.list(limit=1).data == [file]
    assert client.files.content(file.id).content == lines()
    assert client.files.delete(file.id).to_dict() == {"id": file.id, "object": "file", "deleted": True}
    with pytest.raises(openai.NotFoundError) as caught:
        client.files.retrieve(file.id)
    assert refusal(caught.value) == (404, envelope(f"No such File object: {file.id}", "id"))


def test_files_are_listed_in_pages_and_by_purpose(client: openai.OpenAI) -> None:
    """The SDK's own paging meets every file once, in either order."""
    ids = [upload(client).id for _ in range(3)]
    newest_first = [file.id for file in client.files.list(limit=20)]

    assert newest_first[:3] == ids[::-1]
    assert [file.id for file in client.files.list(limit=20, order="asc")] == newest_first[::-1]
    evals = client.files.create(file=("a.csv", b"a,b\n1,2\n"), purpose="evals")
    assert [file.id for file in client.files.list(purpose="evals")] == [evals.id]
    page = client.files.list(purpose="vision", extra_query={"after": "file-none"})
    assert page.to_dict() == {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.list(extra_query={"order": "up"})
    message = "Invalid 'order': found 'up', expected desc or asc."
    assert refusal(caught.value) == (400, envelope(message, "order", "invalid_value"))


def test_a_repeated_key_gives_the_same_file(client: openai.OpenAI) -> None:
    """An upload whose answer was lost can be sent again."""
    first = upload(client, extra_headers=KEY)

    assert first.id == derived_id("file", "files")
    assert upload(client, extra_headers=KEY) == first


def test_a_key_for_other_bytes_is_refused(client: openai.OpenAI) -> None:
    """A key stands for one content."""
    upload(client, extra_headers=KEY)
    with pytest.raises(openai.ConflictError) as caught:
        upload(client, lines(11), extra_headers=KEY)

    assert refusal(caught.value) == (
        409,
        envelope(
            "The Idempotency-Key was used before to create another file. "
            "Send the same request to get that one, or another key to create a new one.",
            "Idempotency-Key",
            "idempotency_key_reused",
        ),
    )


@pytest.mark.parametrize(
    ("content", "line", "start"),
    [
        (b'[{"messages": []}]\n', 1, '[{"messages": []}]'),
        (b'{"a": 1}\n\n{\n  "b": 2}\n', 3, "{"),
        (b'\xef\xbb\xbf{"a": 1}\n', 1, '\ufeff{"a": 1}'),
        (b'{"a": 1}\n\xff\n', 2, "\ufffd"),
    ],
)
def test_what_is_not_jsonl_is_refused(client: openai.OpenAI, content: bytes, line: int, start: str) -> None:
    """The refusal has the hosted words and names the line."""
    with pytest.raises(openai.BadRequestError) as caught:
        upload(client, content)

    assert refusal(caught.value) == (
        400,
        envelope(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {line} is not a dictionary (HINT: line starts with: "{start}...").',
            "file",
        ),
    )


def test_an_empty_file_is_refused(client: openai.OpenAI) -> None:
    """Nothing cannot be trained on."""
    with pytest.raises(openai.BadRequestError) as caught:
        upload(client, b"")

    assert refusal(caught.value) == (400, envelope("File is empty.", "file"))


def test_a_purpose_is_one_of_the_api(client: openai.OpenAI) -> None:
    """The refusal names them all."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=("a.jsonl", lines()), purpose="fun")

    known = "['assistants', 'batch', 'evals', 'fine-tune', 'user_data', 'vision']"
    message = f"'fun' is not one of {known} - 'purpose'"
    assert refusal(caught.value) == (400, envelope(message, "purpose", "invalid_value"))


@pytest.mark.parametrize("purpose", ["assistants", "evals", "user_data", "vision"])
def test_other_purposes_take_any_bytes(client: openai.OpenAI, purpose: str) -> None:
    """Only files for training and for batches are JSONL."""
    file = client.files.create(file=("a.bin", b"\xff\x00"), purpose=purpose)

    assert client.files.content(file.id).content == b"\xff\x00"


@pytest.mark.parametrize(
    "form",
    [
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"},
        {"expires_after": '{"anchor": "created_at", "seconds": 3600}'},
    ],
    ids=["brackets", "json"],
)
def test_a_file_may_expire(service: RunningService, form: dict[str, str]) -> None:
    """Both ways in which clients write the object into a form are understood."""
    body = post_form(service, {"purpose": "fine-tune", **form})[1]

    assert body["expires_at"] == body["created_at"] + 3600


def test_a_batch_file_expires_after_thirty_days(client: openai.OpenAI) -> None:
    """Unless the client says otherwise."""
    file = client.files.create(file=("a.jsonl", b'{"a": 1}\n'), purpose="batch")

    assert file.expires_at == file.created_at + 30 * 24 * 3600


@pytest.mark.parametrize(
    ("expiry", "param", "problem"),
    [
        ({"anchor": "now", "seconds": 3600}, "expires_after.anchor", "'created_at' was expected"),
        (
            {"anchor": "created_at", "seconds": 3599},
            "expires_after.seconds",
            "3599 is less than the minimum of 3600",
        ),
        (
            {"anchor": "created_at", "seconds": 2592001},
            "expires_after.seconds",
            "2592001 is greater than the maximum of 2592000",
        ),
    ],
)
def test_an_expiry_out_of_range_is_refused(
    client: openai.OpenAI, expiry: Any, param: str, problem: str
) -> None:
    """An hour to thirty days."""
    with pytest.raises(openai.BadRequestError) as caught:
        upload(client, expires_after=expiry)

    assert refusal(caught.value) == (400, envelope(f"{problem} - '{param}'", param, "invalid_value"))


def test_an_expired_file_is_gone(client: openai.OpenAI, service: RunningService) -> None:
    """It is neither listed nor read nor trained on, from the second its time is over."""
    file = upload(client, expires_after={"anchor": "created_at", "seconds": 3600})
    set_value(service, "files", file.id, "expires_at", 1)

    assert file.id not in [listed.id for listed in client.files.list()]
    for use in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            use(file.id)
        assert refusal(caught.value) == (404, envelope(f"No such File object: {file.id}", "id"))
    with pytest.raises(openai.BadRequestError) as refused:
        client.fine_tuning.jobs.create(model="tiny-1", training_file=file.id)
    message = f"invalid training_file: {file.id} (no such file)"
    assert refusal(refused.value) == (400, envelope(message, "training_file", "invalid_file"))


@pytest.mark.parametrize(
    ("form", "message", "param", "code"),
    [
        ({}, "Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter"),
        (
            {"purpose": "fine-tune", "speed": "1"},
            "Unknown parameter: 'speed'.",
            "speed",
            "unknown_parameter",
        ),
        (
            {"purpose": "fine-tune", "expires_after": "soon"},
            "'expires_after' is not JSON: Expecting value: line 1 column 1 (char 0)",
            "expires_after",
            "invalid_value",
        ),
    ],
)
def test_a_broken_form_is_refused(
    service: RunningService, form: dict[str, str], message: str, param: str, code: str
) -> None:
    """What is missing or unknown is named."""
    assert post_form(service, form) == (400, envelope(message, param, code))


def test_refused_uploads_leave_nothing(client: openai.OpenAI, service: RunningService) -> None:
    """No half-received file stays on the disk."""
    with pytest.raises(openai.BadRequestError):
        upload(client, b"[]\n")

    assert list(service.layout.files.glob(".*")) == []


def test_a_file_name_is_only_a_name(client: openai.OpenAI, service: RunningService) -> None:
    """Nothing is written where a client's name points."""
    file = client.files.create(file=("../../../evil.jsonl", lines()), purpose="fine-tune")

    assert service.layout.file(file.id).read_bytes() == lines()
