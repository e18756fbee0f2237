"""Who may speak to the service, and how much they may say."""

import _socket
import asyncio
import errno
import http.client
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from runner.local.service.app import make_app
from runner.local.service.guard import Activity, Guard
from tests.local.harness import RunningService, envelope


def ask(
    service: RunningService,
    headers: dict[str, str],
    method: str = "GET",
    path: str = "/v1/models",
    body: Any = None,
) -> tuple[int, Any]:
    """Send one request with exactly these headers besides the token."""
    connection = http.client.HTTPConnection("127.0.0.1", service.record.port, timeout=10)
    sent = {"Authorization": f"Bearer {service.record.token}", **headers}
    connection.request(method, path, body=body, headers=sent)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong", "Bearer ", "Basic {token}", "{token}", "Bearer é"]
)
def test_only_the_token_lets_in(service: RunningService, authorization: str) -> None:
    """The refusal says where the token is."""
    given = authorization.format(token=service.record.token)

    assert ask(service, {"Authorization": given}) == (
        401,
        envelope(
            "Incorrect API key provided. The local service's token is in .finetune/local/service.json.",
            code="invalid_api_key",
        ),
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil.example"]
)
def test_another_host_name_is_refused(service: RunningService, host: str) -> None:
    """A web page whose name resolves to this machine is kept out."""
    host = host.format(port=service.record.port)

    assert ask(service, {"Host": host}) == (
        403,
        envelope(f"The host '{host}' is not this service.", code="invalid_host"),
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:{port}", "localhost:{port}"])
def test_the_own_host_names_are_known(service: RunningService, host: str) -> None:
    """Either name of this machine will do."""
    assert ask(service, {"Host": host.format(port=service.record.port)})[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_other_web_pages_are_refused(service: RunningService, origin: str) -> None:
    """A browser names the page it works for."""
    message = f"Requests from the web page '{origin}' are refused."

    assert ask(service, {"Origin": origin}) == (403, envelope(message, code="invalid_origin"))


def test_a_body_must_be_json(service: RunningService) -> None:
    """What a plain web form can send is not accepted."""
    answer = ask(service, {"Content-Type": "text/plain"}, "POST", "/v1/fine_tuning/jobs", "{}")

    message = "The request body must be JSON, sent with 'Content-Type: application/json'."
    assert answer == (415, envelope(message))


def test_an_upload_must_be_a_form(service: RunningService) -> None:
    """Files come as the SDK sends them."""
    answer = ask(service, {"Content-Type": "application/json"}, "POST", "/v1/files", "{}")

    message = "The request body must be a form, sent with 'Content-Type: multipart/form-data'."
    assert answer == (415, envelope(message))


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/v1/files", 536936448), ("/v1/uploads/upload_1/parts", 67174400), ("/v1/chat/completions", 16777216)],
)
def test_a_large_body_is_refused_before_it_is_read(service: RunningService, path: str, limit: int) -> None:
    """The announced length is enough."""
    answer = ask(service, {"Content-Length": str(limit + 1)}, "POST", path)

    message = f"The request body is larger than {limit} bytes."
    assert answer == (413, envelope(message, code="request_too_large"))


def test_a_body_without_a_length_is_counted(service: RunningService) -> None:
    """Chunks are added up."""
    chunks = (b" " * (1 << 20) for _ in range(17))
    answer = ask(service, {"Content-Type": "application/json"}, "POST", "/v1/chat/completions", chunks)

    assert answer[0] == 413


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"seed": NaN}', "NaN is not JSON"),
        ('{"seed": 1e999}', "1e999 is too large a number"),
        (
            r'{"suffix": "\ud800"}',
            "'utf-8' codec can't encode character '\\ud800' in position 12: surrogates not allowed",
        ),
    ],
)
def test_broken_json_is_refused(service: RunningService, body: str, message: str) -> None:
    """The place of the error is named."""
    answer = ask(service, {"Content-Type": "application/json"}, "POST", "/v1/fine_tuning/jobs", body)

    assert answer == (400, envelope(f"We could not parse the JSON body of your request: {message}"))


def test_unknown_routes_have_the_hosted_envelope(service: RunningService) -> None:
    """SDKs show the message."""
    assert ask(service, {}, path="/v1/images") == (
        404,
        envelope("Unknown request URL: GET /v1/images. The local service has no such route."),
    )
    assert ask(service, {}, "PUT") == (405, envelope("Not allowed to PUT on /v1/models."))


def test_the_record_is_for_its_user_alone(service: RunningService) -> None:
    """The token is in a file that nobody else can read."""
    assert stat.S_IMODE(service.layout.record.stat().st_mode) == 0o600


def test_no_answer_invites_other_pages(service: RunningService) -> None:
    """There is no CORS header."""
    connection = http.client.HTTPConnection("127.0.0.1", service.record.port, timeout=10)
    headers = {"Authorization": f"Bearer {service.record.token}", "Origin": service.url}
    connection.request("GET", "/v1/models", headers=headers)
    response = connection.getresponse()
    names = {name.lower() for name, _ in response.getheaders()}
    response.read()
    connection.close()

    assert names == {"date", "content-length", "content-type"}


def raw(service: RunningService, request: str) -> tuple[int, str]:
    """Send bytes as they are; the status and the rest of the answer."""
    request = request.replace("TOKEN", service.record.token).replace("PORT", str(service.record.port))
    with socket.create_connection(("127.0.0.1", service.record.port), timeout=10) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode("latin-1")
    head, _, rest = answer.partition("\r\n")
    return int(head.split()[1]), rest


OWN = "Host: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\nConnection: close\n"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"GET /v1/models HTTP/1.1\n{OWN}\n", 200),
        # No host at all, as HTTP/1.0 allows.
        ("GET /v1/models HTTP/1.0\nAuthorization: Bearer TOKEN\n\n", 403),
        # Two hosts, of which a proxy might read the other.
        (f"GET /v1/models HTTP/1.1\nHost: evil.example\n{OWN}\n", 400),
        # A host in the request line does not stand for the header, nor the other way round.
        (
            "GET http://127.0.0.1:PORT/v1/models HTTP/1.1\nHost: evil.example\n"
            "Authorization: Bearer TOKEN\nConnection: close\n\n",
            403,
        ),
        # What a body is worth must not depend on who reads it.
        (f"POST /v1/batches HTTP/1.1\n{OWN}Content-Length: 5\nContent-Length: 6\n\n{{}}", 400),
        (f"POST /v1/batches HTTP/1.1\n{OWN}Content-Length: -1\n\n", 400),
        # A page of a browser asks first.
        (
            "OPTIONS /v1/files HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: https://evil.example\n"
            "Access-Control-Request-Method: POST\nConnection: close\n\n",
            403,
        ),
        # IDs are looked up, never put into paths.
        (f"GET /v1/files/..%2f..%2fstate.db/content HTTP/1.1\n{OWN}\n", 404),
        (f"GET /v1/files/../../state.db HTTP/1.1\n{OWN}\n", 404),
        (f"GET /v1/files/%00 HTTP/1.1\n{OWN}\n", 404),
        (f"DELETE /v1/models/..%2f..%2f..%2fetc HTTP/1.1\n{OWN}\n", 404),
        (f"POST /v1/uploads/..%2fx/parts HTTP/1.1\n{OWN}Content-Length: 0\n\n", 404),
        # The health of the service is not for everyone either.
        ("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n\n", 401),
    ],
)
def test_raw_requests_are_refused_or_served(service: RunningService, request_text: str, status: int) -> None:
    """Whatever a socket can send."""
    assert raw(service, request_text)[0] == status


def test_there_are_no_web_sockets(service: RunningService) -> None:
    """A page may open one to any host without asking first."""
    upgrade = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: eA==\n"
    status, _ = raw(service, f"GET /v1/models HTTP/1.1\nHost: evil.example\n{upgrade}\n")

    assert status == 403


def test_other_addresses_of_this_machine_are_closed(service: RunningService) -> None:
    """Only 127.0.0.1 listens; the guard of the tests would keep this connection from being tried."""
    with socket.socket() as connection, pytest.raises(OSError, match=r"refused|assign|unreachable"):
        _socket.socket.connect(connection, ("127.0.0.2", service.record.port))


@pytest.mark.parametrize("levels", [150, 900])
def test_a_nested_body_is_refused_before_anything_walks_through_it(
    service: RunningService, levels: int
) -> None:
    body = '{"a":' * levels + "1" + "}" * levels
    headers = {"Content-Type": "application/json"}

    assert ask(service, headers, "POST", "/v1/chat/completions", body) == (
        400,
        envelope("The JSON body of your request is nested more than 100 levels deep."),
    )


def test_a_refusal_does_not_repeat_all_that_was_sent(service: RunningService) -> None:
    metadata = {str(number): "a" for number in range(1000)}
    body = json.dumps({"model": "tiny-1", "training_file": "f", "metadata": metadata})
    _, answer = ask(service, {"Content-Type": "application/json"}, "POST", "/v1/fine_tuning/jobs", body)

    assert answer["error"]["message"].endswith("… - 'metadata'")
    assert len(answer["error"]["message"]) == 1000 + len("… - 'metadata'")


@pytest.mark.parametrize("depth", [100_000])
def test_a_body_that_is_too_deep_is_refused(service: RunningService, depth: int) -> None:
    """Not a fault of the service."""
    body = "[" * depth
    status, answer = ask(service, {"Content-Type": "application/json"}, "POST", "/v1/batches", body)

    assert status == 400
    assert answer["error"]["message"].startswith("We could not parse the JSON body of your request: ")


def test_a_long_idempotency_key_is_refused(service: RunningService) -> None:
    """It would be kept for ever."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k" * 256}
    answer = ask(service, headers, "POST", "/v1/fine_tuning/jobs", "{}")

    message = "The Idempotency-Key has 256 characters; at most 255 are allowed."
    assert answer == (400, envelope(message, "Idempotency-Key", "invalid_value"))


def answered(app: Any, path: str, receive: Any) -> tuple[int, Any]:
    """What an application answers one request through the guard."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", b"Bearer t"),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    asyncio.run(Guard(app, "t", 1, "", Activity(lambda: 0.0))(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@asynccontextmanager
async def nothing_beside(app: Any) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("error", "status", "message", "code"),
    [
        (
            ValueError("a"),
            500,
            "The local service had a fault while it processed your request. Its log says more.",
            "server_error",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            507,
            "The disk is full; free some space and send the request again.",
            "disk_full",
        ),
    ],
)
def test_a_fault_has_the_hosted_envelope(error: Exception, status: int, message: str, code: str) -> None:
    class Broken:
        @property
        def store(self) -> Any:
            raise error

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"metadata": {}}'}

    app = make_app(cast(Any, Broken()), nothing_beside)

    assert answered(app, "/v1/chat/completions/chatcmpl-1", receive) == (
        status,
        {"error": {"message": message, "type": "server_error", "param": None, "code": code}},
    )


def test_a_body_that_does_not_arrive_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.local.service.guard.BODY_WAIT_S", 0.0)
    pieces = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Any:
        if pieces:
            return pieces.pop()
        return await asyncio.Future()

    assert answered(make_app(cast(Any, None), nothing_beside), "/v1/batches", receive) == (
        408,
        envelope("The request body did not arrive in time.", code="request_timeout"),
    )
