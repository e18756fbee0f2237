"""A hosted provider on loopback: the OpenAI shape for files and jobs, with faults on demand."""

import hashlib
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "sk-test-key"
REFUSAL = re.compile(r"\d{3} ")
METADATA_FILTER = re.compile(r"metadata\[(.+)\]")
Metadata = Literal["filtered", "unfiltered", "dropped"]


@dataclass
class FakeHost:
    """Files and jobs in memory; `faults` maps "METHOD /path" to what goes wrong, once each.

    A fault is a status to answer with, alone or before a message, bytes to answer with instead (HTML where
    they begin with `<`), or one of these words: `interrupt` is Ctrl-C before acting, `drop_before` closes the
    connection then and `drop` after acting; `429_after` and its like answer with a status after acting;
    `delay` acts and stays silent for `delay_s`; `truncate` acts and sends half of the answer; `duplicate`
    lists every item twice; `forget` acts, answers, and loses the file.

    `metadata` says whether the host filters jobs by metadata, ignores the filter, or keeps none. An object
    stays out of `lag` lists after it was made. A `strict` host refuses a job without its training file;
    one that `ignores_after` sends the first page of a list for ever. What a host `lacks` are the beginnings
    of paths that it answers with a bare 404. `answer` gives the text for a model and messages;
    one that begins with a status is a refusal; with `tool_calls` an answer is these instead. `file_lies` and
    `job_lies` are what it says of files and jobs instead of the truth, `result_lies` of a job that has ended,
    `other_content` what it stores instead of an upload.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    questions: list[Any] = field(default_factory=list)
    answer: Callable[[str, list[dict[str, str]]], str] = lambda model, messages: model
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    job_status: str = "succeeded"
    job_error: dict[str, Any] | None = None
    trained_tokens: int = 1700
    weights: dict[str, str] | None = None
    losses: dict[str, float] = field(default_factory=dict)
    checkpoint_steps: tuple[int, ...] = ()
    file_lies: dict[str, Any] = field(default_factory=dict)
    job_lies: dict[str, Any] = field(default_factory=dict)
    result_lies: dict[str, Any] = field(default_factory=dict)
    other_content: bytes | None = None
    serves_content: bool = True
    strict: bool = False
    lacks: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ("base-1", "base-0", "base-priceless")
    deleted_models: set[str] = field(default_factory=set)
    shutdown_dates: dict[str, str] = field(default_factory=dict)
    ignores_after: bool = False
    metadata: Metadata = "unfiltered"
    lag: int = 0
    delay_s: float = 0.6
    charges: int = 0
    uploads: Counter[str] = field(default_factory=Counter)
    n_begun: int = 0
    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    url: str = ""

    def reset(self) -> None:
        """Be as new, at the same address."""
        fresh = FakeHost(url=self.url)
        with self.lock:
            self.__dict__.update({key: value for key, value in vars(fresh).items() if key != "lock"})

    def count(self, request: str) -> int:
        """How often a "METHOD /path" was asked."""
        return self.requests.count(request)

    def live_jobs(self) -> list[str]:
        """The jobs that nobody cancelled."""
        return [job["id"] for job in self.jobs.values() if job["status"] != "cancelled"]

    def add_file(self, body: bytes) -> dict[str, Any]:
        """Store an upload."""
        name = re.search(rb'filename="([^"]+)"', body)
        parts = [part for part in body.split(b"\r\n--") if b"filename=" in part]
        content = parts[0].split(b"\r\n\r\n", 1)[1] if parts else b""
        file: dict[str, Any] = {
            "id": f"file-{self.uploads.total() + 1}",
            "object": "file",
            "bytes": len(content),
            "created_at": 1_795_000_000,
            "filename": name.group(1).decode() if name else "",
            "purpose": "fine-tune",
            "status": "processed",
        }
        file |= self.file_lies
        self.files[file["id"]] = file
        self.contents[file["id"]] = content if self.other_content is None else self.other_content
        self.uploads[hashlib.sha256(content).hexdigest()] += 1
        self.hidden[file["id"]] = self.lag
        return file

    def upload_answer(self, parts: list[str], body: bytes) -> Any:
        """Begin an upload, take a part of one, or complete it; one that is unknown is gone."""
        if len(parts) == 2:
            self.n_begun += 1
            begun = {**json.loads(body), "id": f"upload-{self.n_begun}", "parts": {}}
            self.begun[begun["id"]] = begun
            return self._upload_object(begun, "pending")
        upload = self.begun.get(parts[2])
        if upload is None:
            return None
        if parts[3] == "parts":
            content = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            part = f"part-{sum(len(each['parts']) for each in self.begun.values()) + 1}"
            upload["parts"][part] = content
            return {"id": part, "object": "upload.part", "created_at": 1, "upload_id": upload["id"]}
        content = b"".join(upload["parts"][part] for part in json.loads(body)["part_ids"])
        if hashlib.md5(content).hexdigest() != json.loads(body)["md5"]:
            return "400 The md5 does not match."
        form = b'filename="%s"\r\n\r\n%s\r\n--' % (upload["filename"].encode(), content)
        del self.begun[upload["id"]]
        return {**self._upload_object(upload, "completed"), "file": self.add_file(form)}

    def _upload_object(self, upload: dict[str, Any], status: str) -> dict[str, Any]:
        kept = {name: upload[name] for name in ("id", "bytes", "filename", "purpose")}
        return {**kept, "object": "upload", "created_at": 1, "expires_at": 2, "status": status}

    def add_job(self, body: dict[str, Any]) -> dict[str, Any]:
        """Store a job and charge for it."""
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
            "user_provided_suffix": body.get("suffix"),
            "metadata": None if self.metadata == "dropped" else body.get("metadata"),
            "error": {},
            **self.job_lies,
        }
        self.jobs[job["id"]] = job
        self.charges += 1
        self.hidden[job["id"]] = self.lag
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """One job, finished as the test wants it."""
        job = self.jobs[job_id]
        if job["status"] == "cancelled":
            return job
        done: dict[str, Any] = {"status": self.job_status, "error": self.job_error or {}}
        if self.job_status == "succeeded":
            name = f"ft:{job['model']}:org::{job_id.removeprefix('ftjob-')}"
            done |= {"fine_tuned_model": name, "trained_tokens": self.trained_tokens, **self.result_lies}
        job.update(done)
        return {**job, "weights": self.weights} if self.weights else job

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """The last metrics of a job, where the test has a loss for it."""
        if job_id not in self.losses:
            return []
        event = {"id": f"ftevent-{job_id}", "object": "fine_tuning.job.event", "created_at": 1_795_000_000}
        data = {"step": 3, "total_steps": 3, "train_loss": self.losses[job_id]}
        return [{**event, "level": "info", "message": "Step 3/3", "type": "metrics", "data": data}]

    def checkpoints(self, job_id: str) -> list[dict[str, Any]]:
        """The models kept of a job, at the steps that the test names."""
        kept = {"object": "fine_tuning.job.checkpoint", "created_at": 1_795_000_000}
        model = f"ft:{self.jobs[job_id]['model']}:org::{job_id}"
        return [
            {
                **kept,
                "id": f"ftckpt-{step}",
                "fine_tuning_job_id": job_id,
                "step_number": step,
                "fine_tuned_model_checkpoint": f"{model}:ckpt-step-{step}",
                "metrics": {"step": step, "train_loss": 1 / step},
            }
            for step in self.checkpoint_steps
        ]

    def model(self, name: str) -> dict[str, Any] | None:
        """A base model or a fine-tuned one that nobody deleted."""
        tuned = [job["fine_tuned_model"] for job in self.jobs.values()]
        if name in self.deleted_models or (name.startswith("ft:") and name not in tuned):
            return None
        model: dict[str, Any] = {"id": name, "object": "model", "created": 1_795_000_000, "owned_by": "org-1"}
        return {**model, "shutdown_date": self.shutdown_dates.get(name)}

    def completion(self, body: dict[str, Any]) -> dict[str, Any] | str:
        """The answer of a model: what the test says of model and question, or a refusal."""
        text = self.answer(body["model"], body["messages"])
        if REFUSAL.match(text):
            return text
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.tool_calls:
            message |= {"content": None, "tool_calls": self.tool_calls}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
        return {**head, "choices": [choice], "usage": usage}

    def visible(self, items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a list shows: an object is left out as often as the host lags behind."""
        shown = []
        for item in items:
            if self.hidden[item["id"]] > 0:
                self.hidden[item["id"]] -= 1
            else:
                shown.append(item)
        return shown

    def forget(self, file_id: str) -> None:
        """Lose a file."""
        del self.files[file_id]
        self.forgotten[hashlib.sha256(self.contents.pop(file_id)).hexdigest()] += 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it every answer waits 40 ms for a delayed acknowledgement.
    disable_nagle_algorithm = True
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
        if len(body) < int(self.headers.get("Content-Length", 0)):
            self.close_connection = True
            return
        name = f"{self.command} {path}"
        with self.host.lock:
            self.host.requests.append(name)
            self.host.headers.append({key.lower(): value for key, value in self.headers.items()})
            faults = self.host.faults.get(name, [])
            fault = faults.pop(0) if faults else None
            if fault == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
            if fault in ("drop_before", "interrupt"):
                self.close_connection = True
                return
            refuses = isinstance(fault, int) or REFUSAL.match(str(fault))
            answer = None if refuses else self._answer(path, parse_qs(url.query), body)
            if fault == "forget" and isinstance(answer, dict) and answer["id"] in self.host.files:
                self.host.forget(answer["id"])
        self._reply(fault, path, answer)

    def _reply(self, fault: Any, path: str, answer: Any) -> None:
        if isinstance(fault, int):
            self._refuse(fault, f"fault {fault}")
        elif isinstance(fault, bytes):
            self._send_bytes(200, fault)
        elif REFUSAL.match(str(fault)):
            self._refuse(int(fault[:3]), fault[4:])
        elif fault == "drop":
            self.close_connection = True
        elif fault == "delay":
            time.sleep(self.host.delay_s)
            self.close_connection = True
        elif fault is not None and fault.endswith("_after"):
            self._refuse(int(fault[:3]), f"fault {fault}")
        elif answer is None:
            self._refuse(404, f"No such object: {path}")
        elif answer == "bare 404":
            self._send_bytes(404, b'{"detail":"Not Found"}')
        elif isinstance(answer, str):
            self._refuse(int(answer[:3]), answer[4:])
        else:
            self._send(answer, fault)

    def _send(self, answer: Any, fault: str | None) -> None:
        if fault == "duplicate" and isinstance(answer, dict) and "data" in answer:
            answer = {**answer, "data": [item for item in answer["data"] for _ in range(2)]}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self._send_bytes(200, content, truncated=fault == "truncate")

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        """The object asked for, None where there is none, or a text that begins with a refusing status."""
        host = self.host
        if path.startswith(host.lacks):
            return "bare 404"
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return "401 Incorrect API key provided"
        if path == "/files":
            return host.add_file(body) if self.command == "POST" else self._page(host.files.values(), query)
        if path.startswith(("/files/", "/uploads")):
            return self._file_answer(path.split("/"), body)
        if path == "/fine_tuning/jobs" and self.command == "POST":
            host.bodies.append(json.loads(body))
            if host.strict and host.bodies[-1]["training_file"] not in host.files:
                return "400 invalid training_file"
            return host.add_job(json.loads(body))
        if path == "/fine_tuning/jobs":
            return self._page(_chosen(host, query), query)
        if path == "/chat/completions":
            host.questions.append(json.loads(body))
            return host.completion(host.questions[-1])
        if path.startswith("/models"):
            name = unquote(path.removeprefix("/models").removeprefix("/"))
            return host.model(name) if name else _listed(list(map(host.model, host.base_models)))
        return self._job_answer(path.split("/"))

    def _file_answer(self, parts: list[str], body: bytes) -> Any:
        if parts[1] == "uploads":
            return self.host.upload_answer(parts, body)
        if parts[-1] != "content":
            return self.host.files.get(parts[2])
        if not self.host.serves_content:
            return "403 Not allowed to download files of purpose: fine-tune"
        return self.host.contents.get(parts[2])

    def _job_answer(self, parts: list[str]) -> Any:
        if parts[1:3] != ["fine_tuning", "jobs"] or parts[3] not in self.host.jobs:
            return None
        if parts[-1] in ("events", "checkpoints"):
            return _listed(getattr(self.host, parts[-1])(parts[3]))
        if parts[-1] == "cancel":
            if self.host.jobs[parts[3]]["status"] in ("succeeded", "failed", "cancelled"):
                return "400 the job is already over"
            self.host.jobs[parts[3]]["status"] = "cancelled"
            return self.host.jobs[parts[3]]
        return self.host.job(parts[3])

    def _page(self, items: Iterable[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
        newest_first = self.host.visible(reversed(list(items)))
        after = "" if self.host.ignores_after else query.get("after", [""])[0]
        ids = [item["id"] for item in newest_first]
        begin = ids.index(after) + 1 if after in ids else 0
        end = begin + int(query.get("limit", ["10000"])[0])
        return _listed(newest_first[begin:end], has_more=end < len(newest_first))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _refuse(self, status: int, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        self._send_bytes(status, json.dumps({"error": error}).encode())

    def _send_bytes(self, status: int, content: bytes, *, truncated: bool = False) -> None:
        self.send_response(status)
        kind = "text/html" if content.startswith(b"<") else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if truncated else content)
        self.close_connection = self.close_connection or truncated


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed or time out are what this host is for."""


def _chosen(host: FakeHost, query: dict[str, list[str]]) -> list[dict[str, Any]]:
    wanted = {match[1]: query[name][0] for name in query if (match := METADATA_FILTER.fullmatch(name))}
    if host.metadata != "filtered":
        return list(host.jobs.values())
    return [job for job in host.jobs.values() if wanted.items() <= (job["metadata"] or {}).items()]


def _listed(items: list[Any], *, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": items, "has_more": has_more}


def start_fake_host() -> tuple[FakeHost, Callable[[], None]]:
    """Start a host; returns it and what stops it."""
    host = FakeHost()
    handler = type("Handler", (_Handler,), {"host": host})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_address[1]}/v1"

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return host, stop
