"""The routes of files, through the SDK."""

import openai
import pytest
from openai.types import FileObject

from runner.local.identifiers import derived_id
from tests.local.harness import RunningService, envelope, lines, refusal, upload

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
        "expires_at": None,
        "filename": "train.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
        "status_details": None,
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
    newest_first = [file.id for file in client.files.list(limit=2)]

    assert newest_first[:3] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == newest_first[::-1]
    assert client.files.list(purpose="batch").data == []


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


def test_only_training_files_are_taken(client: openai.OpenAI) -> None:
    """A purpose that the service has no use for is named."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=("a.jsonl", lines()), purpose="batch")

    message = "'batch' is not one of ['fine-tune'] - 'purpose'"
    assert refusal(caught.value) == (400, envelope(message, "purpose", "invalid_value"))


def test_expiry_is_refused_not_ignored(client: openai.OpenAI) -> None:
    """A file that should vanish would not."""
    with pytest.raises(openai.BadRequestError) as caught:
        upload(client, expires_after={"anchor": "created_at", "seconds": 3600})

    message = "Unsupported value: 'expires_after' does not support files that expire with the local service."
    assert refusal(caught.value) == (400, envelope(message, "expires_after", "unsupported_value"))


def test_refused_uploads_leave_nothing(client: openai.OpenAI, service: RunningService) -> None:
    """No half-received file stays on the disk."""
    with pytest.raises(openai.BadRequestError):
        upload(client, b"[]\n")

    assert list(service.layout.files.glob(".*")) == []


def test_a_file_name_is_only_a_name(client: openai.OpenAI, service: RunningService) -> None:
    """Nothing is written where a client's name points."""
    file = client.files.create(file=("../../../evil.jsonl", lines()), purpose="fine-tune")

    assert service.layout.file(file.id).read_bytes() == lines()
