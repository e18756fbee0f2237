"""The reads that the promise to create once rests on."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.providers.base import ConnectionLostError, JobRequest
from runner.providers.openai_client import connect
from runner.providers.openai_compatible import OpenAICompatible
from tests.fake_host import KEY, FakeHost

CONTENT = b'{"messages":[]}\n'
CREATE = "POST /fine_tuning/jobs"
LIST = "GET /fine_tuning/jobs"


@pytest.fixture
def provider(fake_host: FakeHost) -> Iterator[OpenAICompatible]:
    connected = connect("fake", fake_host.url, KEY)
    yield connected
    connected.close()


@pytest.fixture
def file_id(provider: OpenAICompatible, tmp_path: Path) -> str:
    path = tmp_path / "data.jsonl"
    path.write_bytes(CONTENT)
    return provider.upload(path, filename="faq.jsonl", key="k").id


def create_jobs(provider: OpenAICompatible, *keys: str) -> None:
    for key in keys:
        request = JobRequest(
            key=key,
            model="base-1",
            method="supervised",
            training_file="file-1",
            validation_file=None,
            hyperparameters={},
            seed=1,
            suffix=None,
            recipe="faq",
        )
        provider.create_job(request)


def test_the_content_of_a_file_is_hashed(provider: OpenAICompatible, file_id: str) -> None:
    assert hashlib.sha256(CONTENT).hexdigest() == provider.file_sha256(file_id)


def test_a_host_that_gives_no_content_back_has_no_hash(
    provider: OpenAICompatible, fake_host: FakeHost, file_id: str
) -> None:
    fake_host.serves_content = False

    assert provider.file_sha256(file_id) is None


def test_content_that_breaks_off_is_no_content(
    provider: OpenAICompatible, fake_host: FakeHost, file_id: str
) -> None:
    """Half a file has another hash, which would make our own file look like somebody else's."""
    fake_host.faults = {f"GET /files/{file_id}/content": ["truncate"]}
    with pytest.raises(ConnectionLostError) as caught:
        provider.file_sha256(file_id)

    assert str(caught.value).startswith(f"fake cannot be reached at {fake_host.url}/: peer closed connection")


def test_a_job_behind_repeated_items_is_found(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    create_jobs(provider, "wanted", "other")
    fake_host.faults = {LIST: ["duplicate"]}

    assert ["ftjob-1"] == [job.id for job in provider.find_jobs("wanted")]


def test_a_job_on_a_later_page_is_found(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    create_jobs(provider, "wanted", *["other"] * 150)

    assert ["ftjob-1"] == [job.id for job in provider.find_jobs("wanted")]
    assert 2 == fake_host.count(LIST)


def test_a_list_without_end_ends(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    """A server that ignores `after` sends its first page for ever."""
    create_jobs(provider, "wanted", *["other"] * 150)
    fake_host.ignores_after = True

    assert [] == provider.find_jobs("wanted")
    assert 2 == fake_host.count(LIST)
