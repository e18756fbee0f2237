"""The adapter, through the real SDK, against a host on loopback."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import openai
import pytest

from runner.errors import MissingExtraError, ProviderError
from runner.providers.base import (
    JOB_KEY_METADATA,
    BareNotFoundError,
    ConnectionLostError,
    FileNotReadyError,
    JobRequest,
    NotFoundError,
    NotOfferedError,
    OutcomeUnknownError,
    ServerFaultError,
)
from runner.providers.openai_client import connect
from runner.providers.openai_compatible import OpenAICompatible
from tests.fake_host import KEY, FakeHost

CREATE = "POST /fine_tuning/jobs"
REQUEST = JobRequest(
    key="k" * 64,
    model="gpt-4.1-mini-2025-04-14",
    method="supervised",
    training_file="file-1",
    validation_file=None,
    hyperparameters={"n_epochs": "auto"},
    seed=42,
    suffix=None,
    recipe="faq",
)


@pytest.fixture
def provider(fake_host: FakeHost) -> Iterator[OpenAICompatible]:
    connected = connect("fake", fake_host.url, KEY)
    yield connected
    connected.client.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"messages":[]}\n')
    return path


def test_an_upload_is_sent_once_with_its_key(
    provider: OpenAICompatible, fake_host: FakeHost, file: Path
) -> None:
    remote = provider.upload(file, filename="faq-1.jsonl", key="upload-key")

    assert ("file-1", "faq-1.jsonl", 16) == (remote.id, remote.filename, remote.size_bytes)
    assert "upload-key" == fake_host.headers[-1]["idempotency-key"]
    assert remote == provider.retrieve_file("file-1")
    assert [remote] == provider.list_files(10)


def test_a_job_is_created_with_openais_names_and_no_nulls(
    provider: OpenAICompatible, fake_host: FakeHost
) -> None:
    job = provider.create_job(REQUEST)

    assert ("ftjob-1", "queued") == (job.id, job.status)
    assert [
        {
            "model": "gpt-4.1-mini-2025-04-14",
            "training_file": "file-1",
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}},
            "seed": 42,
            "metadata": {JOB_KEY_METADATA: "k" * 64, "finetune_recipe": "faq"},
        }
    ] == fake_host.bodies


@pytest.mark.parametrize("fault", [500, 503, 429, 408, 409, "drop", "drop_before", b"<html>", b"", b"[]"])
def test_a_create_without_a_clear_answer_is_unknown_and_sent_once(
    provider: OpenAICompatible, fake_host: FakeHost, fault: int | str | bytes
) -> None:
    """The SDK alone would send it again and pay twice."""
    fake_host.faults = {"POST /fine_tuning/jobs": [fault]}
    with pytest.raises(OutcomeUnknownError):
        provider.create_job(REQUEST)

    assert 1 == fake_host.count("POST /fine_tuning/jobs")


def test_a_refused_create_is_not_unknown(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    fake_host.faults = {"POST /fine_tuning/jobs": [400]}
    with pytest.raises(ProviderError) as caught:
        provider.create_job(REQUEST)

    assert "fake answered HTTP 400: fault 400" == str(caught.value)
    assert not isinstance(caught.value, OutcomeUnknownError)


def test_nobody_listening_is_not_unknown() -> None:
    provider = connect("fake", "http://127.0.0.1:9/v1", KEY)
    with pytest.raises(ConnectionLostError) as caught:
        provider.create_job(REQUEST)
    provider.client.close()

    assert (
        "fake cannot be reached at http://127.0.0.1:9/v1/: [Errno 111] Connection refused. "
        "Check the network and repeat the command."
    ) == str(caught.value)


def test_jobs_are_found_by_key_even_where_the_filter_is_ignored(provider: OpenAICompatible) -> None:
    provider.create_job(REQUEST)
    provider.create_job(JobRequest(**{**_values(REQUEST), "key": "other"}))

    assert ["ftjob-1"] == [job.id for job in provider.find_jobs("k" * 64)]
    assert ["ftjob-2", "ftjob-1"] == [job.id for job in provider.list_jobs(10)]


def test_an_empty_error_object_is_no_error(provider: OpenAICompatible) -> None:
    provider.create_job(REQUEST)

    assert provider.retrieve_job("ftjob-1").error is None


def test_what_is_not_there_is_not_found(provider: OpenAICompatible) -> None:
    with pytest.raises(NotFoundError) as caught:
        provider.retrieve_file("file-9")

    assert "fake: No such object: /files/file-9" == str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("bare 404", BareNotFoundError), (405, NotOfferedError), (501, NotOfferedError)],
)
def test_a_route_that_a_host_lacks_is_told_from_an_object_that_is_gone(
    provider: OpenAICompatible, fake_host: FakeHost, answer: str | int, kind: type[ProviderError]
) -> None:
    if isinstance(answer, int):
        fake_host.faults = {"GET /models/ft:x:org::1": [answer] * 3}
    else:
        fake_host.lacks = ("/models",)
    with pytest.raises(kind):
        provider.retrieve_model("ft:x:org::1")

    fake_host.faults, fake_host.lacks = {}, ()
    with pytest.raises(NotFoundError) as caught:
        provider.retrieve_model("ft:x:org::1")

    assert type(caught.value) is NotFoundError


def test_a_model_tells_its_last_day(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    fake_host.shutdown_dates["base-1"] = "2027-01-14"

    assert "2027-01-14" == provider.retrieve_model("base-1").shutdown_date


@pytest.mark.parametrize(("suffix", "said"), [("faq", "faq"), (None, "")])
def test_a_job_tells_its_method_and_suffix(provider: OpenAICompatible, suffix: str | None, said: str) -> None:
    job = provider.create_job(replace(REQUEST, suffix=suffix))

    assert ("supervised", said) == (job.method, job.suffix)


def test_a_download_is_whole_or_refused(
    provider: OpenAICompatible, fake_host: FakeHost, file: Path, tmp_path: Path
) -> None:
    remote = provider.upload(file, filename="faq-1.jsonl", key="k")
    target = tmp_path / "copy.jsonl"

    assert provider.download_file(remote.id, target, remote.size_bytes)
    assert file.read_bytes() == target.read_bytes()
    with pytest.raises(ProviderError) as caught:
        provider.download_file(remote.id, target, remote.size_bytes - 1)
    assert "fake sends more for file-1 than the 15 bytes it has." == str(caught.value)

    fake_host.serves_content = False
    assert not provider.download_file(remote.id, target, remote.size_bytes)


def test_reads_are_repeated_by_the_sdk(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    provider.create_job(REQUEST)
    fake_host.faults = {"GET /fine_tuning/jobs/ftjob-1": ["drop"]}

    assert "succeeded" == provider.retrieve_job("ftjob-1").status
    assert 2 == fake_host.count("GET /fine_tuning/jobs/ftjob-1")


def test_redirects_are_not_followed(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    """A key and data go to the named host alone."""
    fake_host.faults = {"GET /fine_tuning/jobs/ftjob-1": [307]}
    with pytest.raises(ProviderError):
        provider.retrieve_job("ftjob-1")

    assert 1 == fake_host.count("GET /fine_tuning/jobs/ftjob-1")


@pytest.mark.parametrize(
    "message",
    [
        "400 File 'file-1' is still being processed and is not ready to be used for fine-tuning.",
        "400 The specified file reference must point to a completed file import.",
    ],
)
def test_a_file_not_looked_at_yet_is_told_from_other_refusals(
    provider: OpenAICompatible, fake_host: FakeHost, message: str
) -> None:
    """https://github.com/openai/openai-python reports it, and Azure's own words."""
    fake_host.faults = {CREATE: [message]}
    with pytest.raises(FileNotReadyError) as caught:
        provider.create_job(REQUEST)

    assert f"fake answered HTTP 400: {message[4:]}" == str(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refused_job_names_the_closing_dates(fake_host: FakeHost, status: int) -> None:
    """Which answer a closed organisation gets is not documented, so every refusal carries them."""
    provider = connect("fake", fake_host.url, KEY, closing="fake closes on 2027-01-06.")
    fake_host.faults = {CREATE: [status]}
    with pytest.raises(ProviderError) as caught:
        provider.create_job(REQUEST)
    provider.close()

    assert str(caught.value).endswith(f": fault {status}\nfake closes on 2027-01-06.")


@pytest.mark.parametrize(
    ("job_id", "reason"),
    [
        ("x" * 100_000, "URL too long"),
        ("", "Expected a non-empty value for `fine_tuning_job_id` but received ''"),
        ("..", "Constructed path '/fine_tuning/jobs/..' contains dot-segment '..' which is not allowed"),
    ],
)
def test_an_id_that_cannot_be_asked_for_is_the_users(
    provider: OpenAICompatible, fake_host: FakeHost, job_id: str, reason: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        provider.retrieve_job(job_id)

    assert f"fake cannot be asked that: {reason}. Check the ID or name." == str(caught.value)
    assert [] == fake_host.requests


@pytest.mark.parametrize(
    ("url", "certificates"),
    [
        ("http://127.0.0.1:1/v1", "none"),
        ("http://[::1]:1/v1", "none"),
        ("https://localhost:1/v1", "the machine's"),
        ("http://example.com/v1", "the machine's"),
    ],
)
def test_no_certificates_are_read_for_the_service_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, certificates: str
) -> None:
    """Nothing encrypted would be trusted then, rather than everything."""
    given: list[Any] = []
    make = openai.DefaultHttpxClient
    monkeypatch.setattr(
        "openai.DefaultHttpxClient", lambda verify, **options: given.append(verify) or make(**options)
    )
    connect("fake", url, KEY).client.close()

    if certificates == "none":
        assert (ssl.CERT_REQUIRED, True, []) == (
            given[0].verify_mode,
            given[0].check_hostname,
            given[0].get_ca_certs(),
        )
    else:
        assert [True] == given


def test_a_socks_proxy_names_the_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("socksio") is not None:
        pytest.skip("socksio is installed")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(MissingExtraError) as caught:
        connect("fake", "https://example.com/v1", KEY)

    assert (
        "the proxy in this environment (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY) is a SOCKS proxy, "
        "which needs one more package: pip install 'httpx2[socks]'"
    ) == str(caught.value)


def test_a_proxy_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "carrier-pigeon://x")
    with pytest.raises(ProviderError) as caught:
        connect("fake", "https://example.com/v1", KEY)

    assert (
        "fake cannot be reached at https://example.com/v1: Unknown scheme for proxy URL "
        "URL('carrier-pigeon://x'). Check the URL, and the proxy in ALL_PROXY, HTTPS_PROXY and HTTP_PROXY."
    ) == str(caught.value)


def test_a_search_that_cannot_see_every_job_says_so(
    provider: OpenAICompatible, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the job of an earlier run would be created a second time."""
    monkeypatch.setattr("runner.providers.openai_compatible.MAX_SEARCHED_JOBS", 2)
    for key in ("one", "two", "three"):
        provider.create_job(JobRequest(**{**_values(REQUEST), "key": key}))
    with pytest.raises(ProviderError) as caught:
        provider.find_jobs("one")

    assert (
        "fake ignores the metadata filter and lists 2 jobs or more, so the job of this run cannot be looked "
        "for. Set `keeps_metadata = false` in its host entry: a job is then told by its training file."
    ) == str(caught.value)
    assert ["ftjob-2"] == [job.id for job in provider.find_jobs("two")]


def _values(request: JobRequest) -> dict[str, object]:
    return {name: getattr(request, name) for name in JobRequest.__dataclass_fields__}


NO_API = "that is not of the fine-tuning API's shape. Check that"
ODD_ANSWERS = [
    b"<html>Log in</html>",
    b'"text"',
    b"[]",
    b"null",
    b'{"data": ["a"]}',
    b'{"data": [null]}',
    b"7",
]


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_an_answer_of_another_shape_is_the_hosts_fault(
    provider: OpenAICompatible, fake_host: FakeHost, answer: bytes
) -> None:
    """As of a proxy's page that asks to log in, or an address that is no API's."""
    fake_host.faults = {f"GET /{path}": [answer] for path in ("fine_tuning/jobs", "files/a", "models")}
    said = []
    for ask in (lambda: provider.list_jobs(5), lambda: provider.list_models(5)):
        with pytest.raises(ProviderError) as caught:
            ask()
        said.append(str(caught.value))

    assert [f"fake sent an answer {NO_API} {fake_host.url}/ is the address of its API."] * 2 == said


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_a_create_with_an_answer_of_another_shape_is_unknown(
    provider: OpenAICompatible, fake_host: FakeHost, answer: bytes
) -> None:
    fake_host.faults = {CREATE: [answer]}
    with pytest.raises(OutcomeUnknownError):
        provider.create_job(REQUEST)

    assert 1 == fake_host.count(CREATE)


def test_a_refusal_without_a_word_names_the_address(provider: OpenAICompatible, fake_host: FakeHost) -> None:
    fake_host.lacks = ("/files",)
    with pytest.raises(BareNotFoundError) as caught:
        provider.list_files(5)

    assert f"fake: HTTP 404 without a message. Check that {fake_host.url}/ is the address of its API." == str(
        caught.value
    )


@pytest.mark.parametrize(("status", "passes"), [(500, True), (503, True), (429, True), (400, False)])
def test_a_fault_that_passes_is_told_from_a_refusal(
    provider: OpenAICompatible, fake_host: FakeHost, status: int, passes: bool
) -> None:
    fake_host.faults = {"GET /files/file-1": [status]}
    provider.client = provider.client.with_options(max_retries=0)
    with pytest.raises(ProviderError, match=f"^fake answered HTTP {status}: fault {status}$") as raised:
        provider.retrieve_file("file-1")

    assert passes == isinstance(raised.value, ServerFaultError)
