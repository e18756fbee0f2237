"""A local service in a process of its own, and a proxy in front of it that sees every exchange."""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from runner.local.layout import PACKAGE_ROOT, Layout, ServiceRecord, read_record
from runner.local.store import Store

TIMEOUT_S = 600
# What belongs to one connection and is not passed on.
HOP_HEADERS = {"host", "connection", "transfer-encoding", "content-length", "keep-alive", "accept-encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as the client sent it; `path` has no query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()


Forward = Callable[[Request], Answer]
Handle = Callable[[Request, Forward], Answer]


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a client that went away."""


@contextmanager
def running_service(state: Path, *options: str) -> Iterator[ServiceRecord]:
    """Run a service with real training on a state folder."""
    command = [sys.executable, "-m", "runner.local.detached", "--state", str(state), *options]
    process = subprocess.Popen(command, cwd=PACKAGE_ROOT)
    layout = Layout(state)
    try:
        while (record := read_record(layout)) is None:
            if process.poll() is not None:
                raise SystemExit("the service did not start")
            time.sleep(0.05)
        yield record
    finally:
        # A worker outlives its service unless its job is over.
        store = Store(layout.database)
        for job in store.live_jobs():
            store.move_job(job.id, "cancelled")
        store.close()
        process.terminate()
        process.wait()


@contextmanager
def proxy(record: ServiceRecord, handle: Handle, *, any_key: bool = False) -> Iterator[str]:
    """Stand before a service and let `handle` see, or change, every exchange; gives the base URL.

    With `any_key` a client needs no token: the proxy has it.
    """

    def forward(request: Request) -> Answer:
        return _forward(record, request, any_key=any_key)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - the name is the base class's
            self._answer()

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Say nothing on standard error."""

        def _answer(self) -> None:
            url = urlsplit(self.path)
            request = Request(
                method=self.command,
                path=url.path,
                query=tuple(parse_qsl(url.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=_read_body(self),
            )
            answer = handle(request, forward)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("content-type", "application/json"))
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    server = _QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _read_body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("transfer-encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("content-length") or 0))
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def _forward(record: ServiceRecord, request: Request, *, any_key: bool) -> Answer:
    headers = {name: value for name, value in request.headers.items() if name not in HOP_HEADERS}
    if any_key:
        headers["authorization"] = f"Bearer {record.token}"
    path = quote(request.path, safe="/:%")
    if request.query:
        path += f"?{urlencode(request.query)}"
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=TIMEOUT_S)
    try:
        connection.request(request.method, path, request.body or None, headers)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=named, body=response.read())
    finally:
        connection.close()
