"""A hosted provider on loopback: the OpenAI shape for files and jobs, with faults on demand."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "sk-test-key"


@dataclass
class FakeHost:
    """Files and jobs in memory; `faults` maps "METHOD /path" to what goes wrong, once each.

    A fault is a status to answer with, `drop` to close the connection after acting, `drop_before` to close it
    before, or bytes to answer with instead.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    job_status: str = "succeeded"
    job_error: dict[str, Any] | None = None
    lies_about_files: bool = False
    url: str = ""

    def count(self, request: str) -> int:
        """How often a "METHOD /path" was asked."""
        return self.requests.count(request)

    def add_file(self, body: bytes) -> dict[str, Any]:
        """Store an upload."""
        name = re.search(rb'filename="([^"]+)"', body)
        content = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0] if b"\r\n\r\n" in body else b""
        parts = [part for part in body.split(b"\r\n--") if b"filename=" in part]
        content = parts[0].split(b"\r\n\r\n", 1)[1] if parts else content
        file = {
            "id": f"file-{len(self.files) + 1}",
            "object": "file",
            "bytes": 1 if self.lies_about_files else len(content),
            "created_at": 1_795_000_000,
            "filename": name.group(1).decode() if name else "",
            "purpose": "fine-tune",
            "status": "processed",
        }
        self.files[file["id"]] = file
        return file

    def add_job(self, body: dict[str, Any]) -> dict[str, Any]:
        """Store a job."""
        number = len(self.jobs) + 1
        job = {
            "id": f"ftjob-{number}",
            "object": "fine_tuning.job",
            "created_at": 1_795_000_000 + number,
            "finished_at": None,
            "model": body["model"],
            "fine_tuned_model": None,
            "organization_id": "org-1",
            "status": "queued",
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "result_files": [],
            "trained_tokens": None,
            "seed": body.get("seed"),
            "method": body.get("method"),
            "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8},
            "metadata": body.get("metadata"),
            "error": {},
        }
        self.jobs[job["id"]] = job
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """One job, finished as the test wants it."""
        job = self.jobs[job_id]
        done = {"status": self.job_status, "error": self.job_error or {}}
        if self.job_status == "succeeded":
            done |= {"fine_tuned_model": f"ft:{job['model']}:org::1", "trained_tokens": 1700}
        job.update(done)
        return job


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host: FakeHost

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        path = url.path.removeprefix("/v1")
        body = self._body()
        name = f"{self.command} {path}"
        self.host.requests.append(name)
        self.host.headers.append({key.lower(): value for key, value in self.headers.items()})
        faults = self.host.faults.get(name, [])
        fault = faults.pop(0) if faults else None
        if fault == "drop_before":
            self.close_connection = True
            return
        if isinstance(fault, int):
            self._send(
                fault, {"error": {"message": f"fault {fault}", "type": "x", "param": None, "code": None}}
            )
            return
        answer = self._answer(path, parse_qs(url.query), body)
        if fault == "drop":
            self.close_connection = True
        elif isinstance(fault, bytes):
            self._send_bytes(200, fault)
        elif answer is None:
            error = {"message": f"No such object: {path}", "type": "invalid_request_error", "param": None}
            self._send(404, {"error": {**error, "code": None}})
        else:
            self._send(200, answer)

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> dict[str, Any] | None:
        host = self.host
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return None
        if path == "/files":
            return host.add_file(body) if self.command == "POST" else _listed(host.files.values())
        if path.startswith("/files/"):
            return host.files.get(path.split("/")[2])
        if path == "/fine_tuning/jobs" and self.command == "POST":
            host.bodies.append(json.loads(body))
            return host.add_job(json.loads(body))
        if path == "/fine_tuning/jobs":
            return _listed(reversed(host.jobs.values()))
        return self._job_answer(path.split("/"))

    def _job_answer(self, parts: list[str]) -> dict[str, Any] | None:
        if parts[1:3] != ["fine_tuning", "jobs"] or parts[3] not in self.host.jobs:
            return None
        if parts[-1] in ("events", "checkpoints"):
            return _listed([])
        return self.host.job(parts[3])

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, status: int, value: Any) -> None:
        self._send_bytes(status, json.dumps(value).encode())

    def _send_bytes(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _listed(items: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(items), "has_more": False}


def start_fake_host() -> tuple[FakeHost, Callable[[], None]]:
    """Start a host; returns it and what stops it."""
    host = FakeHost()
    handler = type("Handler", (_Handler,), {"host": host})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_address[1]}/v1"

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return host, stop
