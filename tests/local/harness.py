"""Starts real service processes for tests and speaks to them."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai

from runner.local.layout import Layout, ServiceRecord, read_record
from runner.local.locks import is_locked

REPOSITORY = Path(__file__).resolve().parents[2]
FAKES = ("--worker", "tests.local.fake_worker", "--inference", "tests.local.fake_inference")
WAIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class RunningService:
    """A service process on a state folder of its own."""

    layout: Layout
    process: subprocess.Popen[bytes]
    record: ServiceRecord

    @property
    def url(self) -> str:
        """The address without the version."""
        return f"http://127.0.0.1:{self.record.port}"

    def client(self, **options: Any) -> openai.OpenAI:
        """The unmodified SDK, without its retries."""
        settings = {"api_key": self.record.token, "max_retries": 0, **options}
        return openai.OpenAI(base_url=self.record.base_url, **settings)

    def kill(self) -> None:
        """End the service without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the service to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=WAIT_S)


def start_service(state: Path, *options: str, fakes: tuple[str, ...] = FAKES) -> RunningService:
    """Start a service and wait until it has written its record."""
    layout = Layout(state.resolve())
    layout.record.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.local.detached", "--state", str(state), *fakes, *options],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
    )
    record = wait_for(lambda: read_record(layout) or process.poll() is not None)
    assert isinstance(record, ServiceRecord), process.communicate()[1].decode()
    process.stderr.close()
    return RunningService(layout=layout, process=process, record=record)


def wait_for(condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
    return found


def finished(client: openai.OpenAI, job_id: str, timeout_s: float = WAIT_S) -> Any:
    """Wait for a job's end."""
    ends = ("succeeded", "failed", "cancelled")
    return wait_for(
        lambda: (job := client.fine_tuning.jobs.retrieve(job_id)).status in ends and job, timeout_s
    )


def worker_pid(layout: Layout, job_id: str) -> int:
    """Wait for a job's worker to be in its training loop."""
    wait_for(lambda: (layout.training(job_id) / "checkpoint-4").exists())
    assert is_locked(layout.worker_lock(job_id))
    return int(layout.worker_pid(job_id).read_text())


def lines(n: int = 10, **more: Any) -> bytes:
    """A training file of short examples."""
    return b"".join(_line(f"question {number}", f"answer {number}", **more) for number in range(n))


def _line(question: str, answer: str, **more: Any) -> bytes:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages, **more}).encode() + b"\n"


def upload(client: openai.OpenAI, content: bytes | None = None, **options: Any) -> Any:
    """Send a training file."""
    file = ("train.jsonl", lines() if content is None else content)
    return client.files.create(file=file, purpose="fine-tune", **options)


def refusal(error: openai.APIStatusError) -> tuple[int, Any]:
    """The status and the whole body of an error answer."""
    return error.status_code, error.response.json()


def envelope(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The hosted error body."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return {"error": error}


def call(service: RunningService, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Send one JSON request as any HTTP client would; the status and the body of the answer."""
    headers = {"Authorization": f"Bearer {service.record.token}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection("127.0.0.1", service.record.port, timeout=WAIT_S)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    is_json = response.getheader("content-type") == "application/json"
    return response.status, json.loads(content) if is_json else content


def post_form(
    service: RunningService, form: dict[str, str], path: str = "/v1/files", name: str = "file"
) -> tuple[int, Any]:
    """Send a form with a short training file as any HTTP client would; the status and body of the answer."""
    border, field = "border", "Content-Disposition: form-data; name="
    parts = [f'{field}"{key}"\r\n\r\n{value}' for key, value in form.items()]
    file = f'{field}"{name}"; filename="a.jsonl"\r\n\r\n{lines().decode()}'
    body = "".join(f"--{border}\r\n{part}\r\n" for part in [*parts, file]) + f"--{border}--\r\n"
    headers = {
        "Authorization": f"Bearer {service.record.token}",
        "Content-Type": f"multipart/form-data; boundary={border}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", service.record.port, timeout=WAIT_S)
    connection.request("POST", path, body=body.encode(), headers=headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def set_value(service: RunningService, table: str, row_id: str, column: str, value: Any) -> None:
    """Change what a service remembers, such as the time at which something expires."""
    connection = sqlite3.connect(service.layout.database, timeout=WAIT_S)
    with connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, row_id))
    connection.close()
