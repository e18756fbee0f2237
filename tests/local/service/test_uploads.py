"""Files that arrive in parts, through the SDK."""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart

from runner.dataset.value import DatasetFile
from runner.execution.files import SoughtFile
from runner.execution.parts import Ledger, upload_in_parts
from runner.local.identifiers import derived_id
from runner.providers.openai_client import connect
from tests.local.harness import RunningService, envelope, lines, refusal, set_value

CONTENT = lines(20)


def announce(client: openai.OpenAI, **more: Any) -> Upload:
    """Create an upload of CONTENT."""
    body = {"filename": "train.jsonl", "purpose": "fine-tune", "bytes": len(CONTENT), **more}
    return client.uploads.create(mime_type="text/jsonl", **body)


def send(client: openai.OpenAI, upload: Upload, *pieces: bytes) -> list[str]:
    """Add parts; their IDs."""
    return [client.uploads.parts.create(upload.id, data=piece).id for piece in pieces]


def refused(act: Any, *arguments: Any, **more: Any) -> tuple[int, Any]:
    """The answer to what must not be done."""
    with pytest.raises(openai.APIStatusError) as caught:
        act(*arguments, **more)
    return refusal(caught.value)


def not_pending(upload: Upload, status: str) -> tuple[int, Any]:
    """The refusal of an upload that has ended."""
    message = f"The Upload {upload.id} is {status}; only a pending one takes parts or can be ended."
    return 400, envelope(message, "upload_id", "invalid_upload_status")


def test_parts_become_a_file_in_the_order_that_is_named(client: openai.OpenAI) -> None:
    """Parts may arrive in another order, and a line may lie in two of them."""
    raw = client.uploads.with_raw_response.create(
        filename="train.jsonl", purpose="fine-tune", bytes=len(CONTENT), mime_type="text/jsonl"
    )
    upload = Upload.model_validate(raw.http_response.json(), strict=True)
    assert raw.http_response.json() == {
        "object": "upload",
        "id": upload.id,
        "bytes": len(CONTENT),
        "created_at": upload.created_at,
        "expires_at": upload.created_at + 3600,
        "filename": "train.jsonl",
        "purpose": "fine-tune",
        "status": "pending",
    }
    second, first = send(client, upload, CONTENT[100:], CONTENT[:100])
    md5 = hashlib.md5(CONTENT).hexdigest()
    done = client.uploads.complete(upload.id, part_ids=[first, second], md5=md5)

    assert (done.status, done.file.status, done.file.bytes) == ("completed", "processed", len(CONTENT))
    assert client.files.content(done.file.id).content == CONTENT
    assert client.files.retrieve(done.file.id) == done.file


def test_a_part_has_the_hosted_shape(client: openai.OpenAI) -> None:
    """Every field that the SDK's type demands is there."""
    upload = announce(client)
    body = client.uploads.parts.with_raw_response.create(upload.id, data=b"x").http_response.json()

    part = UploadPart.model_validate(body, strict=True)
    assert body == {
        "object": "upload.part",
        "id": part.id,
        "created_at": part.created_at,
        "upload_id": upload.id,
    }


def test_the_helper_of_the_sdk_works(client: openai.OpenAI, tmp_path: Path) -> None:
    """It cuts a file, sends the pieces and completes."""
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    done = client.uploads.upload_file_chunked(
        file=path, mime_type="text/jsonl", purpose="fine-tune", part_size=101
    )

    assert client.files.content(done.file.id).content == CONTENT


def test_a_completion_whose_answer_was_lost_can_be_sent_again(client: openai.OpenAI) -> None:
    """The same request gives the same file, another one is refused."""
    upload = announce(client)
    parts = send(client, upload, CONTENT)
    first = client.uploads.complete(upload.id, part_ids=parts)

    assert client.uploads.complete(upload.id, part_ids=parts) == first
    assert refused(client.uploads.complete, upload.id, part_ids=parts * 2) == not_pending(upload, "completed")
    assert refused(client.uploads.cancel, upload.id) == not_pending(upload, "completed")
    assert refused(client.uploads.parts.create, upload.id, data=b"x") == not_pending(upload, "completed")


def test_a_cancelled_upload_takes_nothing_more(client: openai.OpenAI, service: RunningService) -> None:
    """Its parts are removed."""
    upload = announce(client)
    send(client, upload, CONTENT)

    assert client.uploads.cancel(upload.id).status == "cancelled"
    assert refused(client.uploads.parts.create, upload.id, data=b"x") == not_pending(upload, "cancelled")
    assert not service.layout.upload(upload.id).exists()


def test_an_upload_expires_after_an_hour(client: openai.OpenAI, service: RunningService) -> None:
    """Its parts are removed then."""
    upload = announce(client)
    parts = send(client, upload, CONTENT)
    set_value(service, "uploads", upload.id, "expires_at", 1)

    assert refused(client.uploads.complete, upload.id, part_ids=parts) == not_pending(upload, "expired")
    assert not service.layout.upload(upload.id).exists()


def test_the_bytes_must_be_those_announced(client: openai.OpenAI) -> None:
    """Neither fewer nor more; the upload stays pending."""
    upload = announce(client)
    parts = send(client, upload, CONTENT[:-1])

    size = len(CONTENT)
    message = f"The parts have {size - 1} bytes, but the Upload was created for {size} bytes."
    assert refused(client.uploads.complete, upload.id, part_ids=parts) == (
        400,
        envelope(message, "part_ids", "invalid_value"),
    )
    parts += send(client, upload, CONTENT[-1:])
    assert client.uploads.complete(upload.id, part_ids=parts).status == "completed"


def test_the_md5_is_checked(client: openai.OpenAI) -> None:
    """What arrived is what was sent."""
    upload = announce(client)
    parts = send(client, upload, CONTENT)

    found = hashlib.md5(CONTENT).hexdigest()
    message = f"The md5 checksum of the parts is {found}, but {'0' * 32} was expected."
    answer = refused(client.uploads.complete, upload.id, part_ids=parts, md5="0" * 32)
    assert answer == (400, envelope(message, "md5", "invalid_value"))


def test_parts_of_another_upload_are_unknown(client: openai.OpenAI) -> None:
    """Nor may a part be used twice."""
    upload, other = announce(client), announce(client)
    (mine,), (foreign,) = send(client, upload, CONTENT), send(client, other, CONTENT)

    message = f"No such Part object in {upload.id}: {foreign}"
    assert refused(client.uploads.complete, upload.id, part_ids=[foreign]) == (
        400,
        envelope(message, "part_ids.0", "invalid_value"),
    )
    assert refused(client.uploads.complete, upload.id, part_ids=[mine, mine]) == (
        400,
        envelope(f"The part {mine} is named twice.", "part_ids.1", "invalid_value"),
    )


def test_lines_are_checked_across_parts(client: openai.OpenAI) -> None:
    """A training file is JSONL whichever way it comes."""
    content = b'{"a": 1}\n[2]\n'
    upload = announce(client, bytes=len(content))
    parts = send(client, upload, content[:11], content[11:])

    assert refused(client.uploads.complete, upload.id, part_ids=parts) == (
        400,
        envelope(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            'Line 2 is not a dictionary (HINT: line starts with: "[2]...").',
            "file",
        ),
    )


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"bytes": -1}, "bytes", "-1 is less than the minimum of 0 - 'bytes'"),
        ({"bytes": 2**33 + 1}, "bytes", "8589934593 is greater than the maximum of 8589934592 - 'bytes'"),
        (
            {"bytes": 209715201, "purpose": "batch"},
            "bytes",
            "209715201 is greater than the maximum of 209715200 - 'bytes'",
        ),
        ({"filename": ""}, "filename", "'' should be non-empty - 'filename'"),
        (
            {"purpose": "fun"},
            "purpose",
            "'fun' is not one of ['assistants', 'batch', 'evals', 'fine-tune', 'user_data', 'vision'] "
            "- 'purpose'",
        ),
    ],
)
def test_values_out_of_range_are_refused(
    client: openai.OpenAI, more: dict[str, Any], param: str, message: str
) -> None:
    """The hosted bounds hold."""
    assert refused(announce, client, **more) == (400, envelope(message, param, "invalid_value"))


def test_a_repeated_key_gives_the_same_upload(client: openai.OpenAI) -> None:
    """A create whose answer was lost can be sent again, but not with another body."""
    headers = {"Idempotency-Key": "uploads"}
    first = announce(client, extra_headers=headers)

    assert first.id == derived_id("upload", "uploads")
    assert announce(client, extra_headers=headers) == first
    assert refused(announce, client, bytes=5, extra_headers=headers)[0] == 409


def test_a_file_from_parts_may_expire(client: openai.OpenAI) -> None:
    """Its time begins when it is complete."""
    upload = announce(client, expires_after={"anchor": "created_at", "seconds": 7200})
    done = client.uploads.complete(upload.id, part_ids=send(client, upload, CONTENT))

    assert done.file.expires_at == done.file.created_at + 7200


def test_an_unknown_upload_is_named(client: openai.OpenAI) -> None:
    """A wrong ID is not a fault."""
    assert refused(client.uploads.cancel, "upload_none") == (
        404,
        envelope("No such Upload object: upload_none", "upload_id"),
    )


def test_the_runner_uploads_large_files_in_parts(
    service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the runner sends above the limit of one request is what arrives."""
    monkeypatch.setattr("runner.execution.parts.PART_BYTES", 300)
    content = lines(20, parts="runner")
    (tmp_path / "a.jsonl").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = DatasetFile(sha256=digest, size_bytes=len(content), n_examples=20, n_tokens=0, tokens_exact=False)
    sought = SoughtFile(key="k", filename="a.jsonl", file=file)
    with closing(connect("local", service.record.base_url, service.record.token)) as provider:
        remote = upload_in_parts(provider, tmp_path / "a.jsonl", sought, Ledger(tmp_path / "parts"), print)
        found = provider.file_sha256(remote.id)

    assert digest == found
