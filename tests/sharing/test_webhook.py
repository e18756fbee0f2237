"""A webhook is what OpenAI's own client takes."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import openai
import pytest

from runner.errors import RunnerError, UsageError
from runner.lock.lockfile import LockedJob
from runner.operator import Operator
from runner.sharing.webhook import check_webhook, send
from tests.fakes import StillClock

SECRET = "whsec_" + "c2VjcmV0" * 4
JOB = LockedJob(
    id="ftjob-1",
    provider="local",
    model="tiny-1",
    method="supervised",
    digest="d" * 64,
    attempt=1,
    seed=0,
    status="succeeded",
    requested={},
    fine_tuned_model="ft:tiny-1:local::1",
)


class Receiver(HTTPServer):
    """Keeps what it is sent; answers with the given statuses, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    """One POST."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({key.lower(): value for key, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def operator(url: str, clock: StillClock, **environment: str) -> Operator:
    return Operator(webhook=url, clock=clock, environment=environment)


def test_openais_client_verifies_it(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StillClock()
    monkeypatch.setattr("time.time", clock.now)
    send(JOB, "recipes/guide.yaml", operator(receiver.url, clock, FINETUNE_WEBHOOK_SECRET=SECRET))
    ((headers, body),) = receiver.received
    client = openai.OpenAI(api_key="none", webhook_secret=SECRET)
    event = client.webhooks.unwrap(body.decode(), headers)

    assert ("fine_tuning.job.succeeded", "ftjob-1") == (event.type, event.data.id)
    assert headers["webhook-id"] == event.id
    assert {
        "id": "ftjob-1",
        "recipe": "recipes/guide.yaml",
        "status": "succeeded",
        "fine_tuned_model": "ft:tiny-1:local::1",
    } == json.loads(body)["data"]
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body.decode().replace("guide", "guild"), headers)


def test_it_is_sent_again_with_the_same_id(receiver: Receiver) -> None:
    clock = StillClock()
    receiver.statuses = [500, 302]
    send(JOB, "guide.yaml", operator(receiver.url, clock))

    assert 3 == len(receiver.received)
    assert 1 == len({headers["webhook-id"] for headers, _ in receiver.received})
    assert [2.0, 4.0] == clock.waited
    assert all("webhook-signature" not in headers for headers, _ in receiver.received)


def test_one_that_nobody_takes_is_a_sentence(receiver: Receiver) -> None:
    receiver.statuses = [404] * 3
    with pytest.raises(RunnerError) as caught:
        send(JOB, "guide.yaml", operator(receiver.url, StillClock()))

    assert "the webhook at 127.0.0.1 was not told (HTTP 404); the job is as the lockfile says." == str(
        caught.value
    )


@pytest.mark.parametrize(
    ("url", "secret", "message"),
    [
        ("ftp://example.com", "", "--webhook: expected a URL such as https://example.com/hook."),
        ("https://", "", "--webhook: expected a URL such as https://example.com/hook."),
        (
            "https://example.com",
            "not base64!",
            "FINETUNE_WEBHOOK_SECRET: expected whsec_ and base64, as OpenAI's webhook secrets are.",
        ),
    ],
)
def test_what_cannot_be_a_webhook(url: str, secret: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_webhook(operator(url, StillClock(), FINETUNE_WEBHOOK_SECRET=secret))

    assert message == str(caught.value)
