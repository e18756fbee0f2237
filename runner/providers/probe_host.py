"""Asks a host what it can do, with reads alone unless told otherwise, and compares its entry with that."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import openai

from runner.display import one_line
from runner.errors import ProviderError
from runner.providers.base import UPLOAD_PURPOSE
from runner.providers.hosts import Host
from runner.providers.openai_compatible import OpenAICompatible
from runner.providers.probe import Capability, Finding, Probed, State

TIMEOUT_S = 20.0
# Beyond this, times of jobs and files are hard to compare with those here; seconds.
MAX_SKEW_S = 60
NOBODYS_JOB = "ftjob-000000000000000000000000"
NOBODYS_METADATA = {"metadata[finetune_doctor]": "nobody"}
TINY_NAME = "finetune-doctor.jsonl"
TINY = b'{"messages":[{"role":"user","content":"ping"},{"role":"assistant","content":"pong"}]}\n'
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer of the host; `status` is 0 where there was none, and `error` says why."""

    status: int
    body: Any = None
    date: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def items(self) -> list[dict[str, Any]] | None:
        data = self.body.get("data") if isinstance(self.body, dict) else None
        if self.status != httpx2.codes.OK or not isinstance(data, list):
            return None
        return [item for item in data if isinstance(item, dict)]

    @property
    def exists(self) -> bool | None:
        """Whether the route is there: a 404 that speaks of an object comes from one."""
        if self.status in (404, 405, 501):
            return self.status == 404 and _speaks_of_an_object(self.body)
        return None if self.status == 0 or self.status >= 500 else True


class Probe:
    """Looks at one host. Nothing is created, unless `tries_upload`."""

    def __init__(self, host: Host, provider: OpenAICompatible, now: float) -> None:
        self.host = host
        self.provider = provider
        self.now = now
        self.client = provider.client.with_options(max_retries=0, timeout=TIMEOUT_S)
        self.findings: list[Finding] = []

    def look(self, *, tries_upload: bool = False) -> Probed:
        """Ask everything. A host that does not answer, or refuses the key, is asked no more."""
        models = self.get("/models")
        if not self.is_reached(models) or not self.is_let_in(models):
            return Probed(findings=tuple(self.findings), capabilities=())
        self.check_clock(models)
        self.check_models(models)
        files, jobs = self.check_list("files", "/files"), self.check_list("jobs", "/fine_tuning/jobs")
        job = self.get(f"/fine_tuning/jobs/{NOBODYS_JOB}")
        self.check_envelope(job)
        capabilities = tuple(self.capabilities(files, jobs))
        if tries_upload:
            self.try_upload()
        else:
            self.note("upload", "ok", "not tried; --write sends a file of 86 bytes and deletes it")
        for item in capabilities:
            if item.differs:
                advice = f"Change `{item.name}` in the host entry, or ask the host."
                self.note(item.name, "warn", "the entry says otherwise than the host does", advice)
        return Probed(findings=tuple(self.findings), capabilities=capabilities)

    def note(self, name: str, state: State, detail: str, advice: str = "") -> None:
        """Keep a finding; a host may repeat the key in what it says, and it is cut out."""
        hidden = detail.replace(self.client.api_key, "***")
        self.findings.append(Finding(name=name, state=state, detail=hidden, advice=advice))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> _Answer:
        """One read, without repeating it."""
        began = time.monotonic()
        try:
            answer = self.client.get(path, cast_to=httpx2.Response, options={"params": dict(params or {})})
            return _answer(answer, time.monotonic() - began)
        except openai.APIStatusError as error:
            return _answer(error.response, time.monotonic() - began)
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            return _Answer(status=0, error=one_line(str(error.__cause__ or error), limit=_LONGEST))

    def is_reached(self, answer: _Answer) -> bool:
        """Whether the host answers at its address."""
        where = str(self.client.base_url)
        if answer.status == 0:
            self.note(
                "reach", "fail", f"{where}: {answer.error}", "Check the network, the address and proxies."
            )
        elif 300 <= answer.status < 400:
            self.note(
                "reach",
                "fail",
                f"{where} sends elsewhere ({answer.status}), which is not followed",
                "Put the final address into the host entry.",
            )
        else:
            self.note(
                "reach", "ok", f"{where} answered HTTP {answer.status} in {answer.seconds * 1000:.0f} ms"
            )
            return True
        return False

    def is_let_in(self, answer: _Answer) -> bool:
        """Whether the host takes the key."""
        variable = self.host.key_variable or "the service's own token"
        if answer.status in (401, 403):
            self.note("key", "fail", f"refused: {_said(answer)}", f"Check the key in {variable}.")
            return False
        self.note("key", "ok", f"{variable} is accepted")
        return True

    def check_clock(self, answer: _Answer) -> None:
        """Compare the host's clock with this one."""
        try:
            theirs = parsedate_to_datetime(answer.date).timestamp()
        except ValueError:
            self.note("clock", "ok", "the host does not say what time it is")
            return
        ahead = theirs - self.now
        if abs(ahead) <= MAX_SKEW_S:
            self.note("clock", "ok", f"within {MAX_SKEW_S} s of this machine's")
            return
        direction = "ahead of" if ahead > 0 else "behind"
        detail = f"the host's clock is {abs(ahead):,.0f} s {direction} this machine's"
        self.note(
            "clock", "warn", detail, "Set this machine's clock; times are compared after a lost answer."
        )

    def check_models(self, answer: _Answer) -> None:
        """Compare the entry's models with those that the account has."""
        items = answer.items
        if items is None:
            self.note(
                "models", "warn", f"not listed: {_said(answer)}", "Name models by the host's own pages."
            )
            return
        listed = {str(item.get("id")) for item in items}
        dated = sum(1 for item in items if item.get("shutdown_date"))
        missing = [model.name for model in self.host.models if model.name not in listed]
        detail = f"{len(listed)} listed" + (f", {dated} with a shutdown date" if dated else "")
        if missing and listed:
            advice = "They may be gone, or not open to this account."
            self.note("models", "warn", f"{detail}; not among them: {one_line(', '.join(missing))}", advice)
        else:
            self.note("models", "ok", detail)

    def check_list(self, name: str, path: str) -> list[dict[str, Any]] | None:
        """Whether a list is there, takes a limit, says whether it goes on, and goes on where asked."""
        answer = self.get(path, {"limit": "1"})
        items = answer.items
        if items is None:
            advice = "Runs need it to find what was sent; this host cannot be used without."
            self.note(name, "fail", f"GET {path}: {_said(answer)}", advice)
            return None
        says = "says has_more" if isinstance(answer.body.get("has_more"), bool) else "does not say has_more"
        limits = "takes a limit" if len(items) <= 1 else f"ignores limit=1 ({len(items)} came)"
        self.note(name, "ok", f"GET {path}: {limits}, {says}, {self.second_page(path, answer)}")
        return items

    def second_page(self, path: str, first: _Answer) -> str:
        """What the host sends after the last item of a page."""
        items = first.items or []
        if not items or first.body.get("has_more") is False:
            return "has one page"
        last = str(items[-1].get("id"))
        after = self.get(path, {"limit": "1", "after": last}).items
        if after is None:
            return "refuses a second page"
        repeats = any(str(item.get("id")) == last for item in after)
        return "ignores `after`: the runner stops at the first page" if repeats else "goes on after an ID"

    def check_envelope(self, answer: _Answer) -> None:
        """Whether a refusal comes as OpenAI writes it."""
        error = answer.body.get("error") if isinstance(answer.body, dict) else None
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            self.note("errors", "ok", f"HTTP {answer.status} with a message: {one_line(error['message'])}")
        else:
            detail = f"HTTP {answer.status} without OpenAI's error object: {_said(answer)}"
            self.note("errors", "warn", detail, "Messages of this host are shown as they come.")

    def capabilities(
        self, files: list[dict[str, Any]] | None, jobs: list[dict[str, Any]] | None
    ) -> Iterator[Capability]:
        """What the entry claims beside what can be seen by reading."""
        host, job = self.host, str(jobs[0].get("id")) if jobs else NOBODYS_JOB
        yield self.metadata(jobs)
        yield Capability(name="filters_metadata", claimed=None, seen=self.filters(jobs))
        for name, claimed in (("events", host.lists_events), ("checkpoints", host.lists_checkpoints)):
            answer = self.get(f"/fine_tuning/jobs/{job}/{name}", {"limit": "1"})
            yield Capability(
                name=f"lists_{name}", claimed=claimed, seen=answer.exists, detail=f"HTTP {answer.status}"
            )
        yield self.content(files)
        batches = self.get("/batches", {"limit": "1"})
        yield Capability(name="batches", claimed=None, seen=batches.exists, detail=f"HTTP {batches.status}")

    def metadata(self, jobs: list[dict[str, Any]] | None) -> Capability:
        """Whether a job that carries metadata is among the newest."""
        claimed = self.host.keeps_metadata
        newest = self.get("/fine_tuning/jobs", {"limit": "100"}).items if jobs else None
        kept = [job for job in newest or [] if job.get("metadata")]
        if kept:
            seen, detail = True, f"job {one_line(str(kept[0].get('id')))} has it"
        else:
            seen, detail = None, "no job with metadata to see it on" if jobs else "no job to see it on"
        return Capability(name="keeps_metadata", claimed=claimed, seen=seen, detail=detail)

    def filters(self, jobs: list[dict[str, Any]] | None) -> bool | None:
        """Whether the list of jobs is filtered by metadata; it shows only where there are jobs."""
        if not jobs:
            return None
        found = self.get("/fine_tuning/jobs", {"limit": "1", **NOBODYS_METADATA}).items
        return None if found is None else not found

    def content(self, files: list[dict[str, Any]] | None) -> Capability:
        """Whether a training file's content is given back; the first byte is enough."""
        ours = next((file for file in files or [] if file.get("purpose") == UPLOAD_PURPOSE), None)
        if ours is None:
            return Capability(name="gives_content_back", claimed=None, seen=None, detail="no training file")
        status = self.status_of(f"/files/{ours.get('id')}/content")
        return Capability(
            name="gives_content_back",
            claimed=None,
            seen=status == 200 if status else None,
            detail=f"HTTP {status}",
        )

    def status_of(self, path: str) -> int:
        """The status of an answer whose content is not read; 0 without one."""
        try:
            with self.client.with_streaming_response.files.content(path.split("/")[2]) as response:
                return response.status_code
        except openai.APIStatusError as error:
            return error.status_code
        except (openai.OpenAIError, httpx2.HTTPError, ValueError):
            return 0

    def try_upload(self) -> None:
        """Send a tiny training file, compare what the host says of it, and delete it."""
        with tempfile.TemporaryDirectory(prefix="finetune-doctor-") as folder:
            path = Path(folder) / TINY_NAME
            path.write_bytes(TINY)
            try:
                file = self.provider.upload(path, filename=TINY_NAME, key=TINY_NAME)
            except ProviderError as error:
                self.note("upload", "fail", str(error), "Check that the key may write files.")
                return
        told = (file.filename, file.size_bytes, file.purpose)
        sent = (TINY_NAME, len(TINY), UPLOAD_PURPOSE)
        if told == sent:
            self.note("upload", "ok", f"{file.id}: name, bytes and purpose as they were sent")
        else:
            advice = "Runs refuse such a host: what it stores cannot be told from other files."
            self.note("upload", "fail", f"{file.id}: sent {sent}, the host says {told}", advice)
        try:
            self.provider.delete_file(file.id)
            self.note("delete", "ok", f"{file.id} is deleted")
        except ProviderError as error:
            self.note("delete", "warn", str(error), f"Delete {file.id} by hand.")


def _answer(response: Any, seconds: float) -> _Answer:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = one_line(response.text, limit=_LONGEST)
    return _Answer(
        status=response.status_code, body=body, date=response.headers.get("date", ""), seconds=seconds
    )


def _said(answer: _Answer) -> str:
    if answer.status == 0:
        return answer.error
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    message = error.get("message") if isinstance(error, dict) else answer.body
    return f"HTTP {answer.status}: {one_line(str(message), limit=_LONGEST)}"


def _speaks_of_an_object(body: Any) -> bool:
    error = body.get("error") if isinstance(body, dict) else None
    message = str(error.get("message") or "").lower() if isinstance(error, dict) else ""
    return bool(message) and not message.startswith("invalid url") and message.strip(" .") != "not found"
