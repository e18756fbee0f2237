"""Finds the local service of a project, or starts it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import runner
from runner.display import one_line
from runner.errors import MissingExtraError, ProviderError
from runner.local.launcher import Launcher, launcher_of
from runner.local.layout import JOB_ID, PACKAGE_ROOT, Layout, ServiceRecord, read_record
from runner.local.locks import is_locked, lock

HEALTH_TIMEOUT_S = 5.0
POLL_S = 0.03
LOG_LINES = 5
MAX_LOG_BYTES = 1 << 20
EXTRA_MODULES = ("starlette", "uvicorn", "python_multipart", "torch", "transformers", "trl")
# The service needs no key of any provider, and its workers run model code.
HIDDEN_PREFIXES = ("OPENAI_", "AZURE_OPENAI_")
HIDDEN_SUFFIX = "_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """Where an OpenAI client finds the service."""

    base_url: str
    token: str = field(repr=False)
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    record: ServiceRecord
    live_jobs: int
    jobs: tuple[str, ...] = ()

    def suits(self, launcher: Launcher) -> bool:
        """Whether to use it as it is.

        One of another version is replaced, and one that a command started with another launcher, but never
        under a job.
        """
        is_as_asked = self.record.launcher == launcher or not self.record.is_detached
        return (self.record.version == runner.__version__ and is_as_asked) or self.live_jobs > 0

    @property
    def address(self) -> ServiceAddress:
        record = self.record
        return ServiceAddress(base_url=record.base_url, token=record.token, pid=record.pid)


def ensure_service(state: Path, *, allow_network: bool = False, timeout_s: float = 30.0) -> ServiceAddress:
    """Find the healthy service of a state folder or start a detached one; two commands at once start one.

    A service that runs already keeps its own setting of `allow_network`; jobs carry theirs with them. How
    many processes train a job, and what starts them, is the environment's to say.
    Raises MissingExtraError, UsageError, and ProviderError when it does not come up.
    """
    layout = Layout(state.resolve())
    launcher = launcher_of(os.environ, Path.cwd())
    running = _find(layout)
    if running is not None and running.suits(launcher):
        return running.address
    _require_extra()
    with lock(layout.start_lock):
        running = _find(layout)
        if running is not None and not running.suits(launcher):
            _stop(layout, running.record, timeout_s)
            running = None
        if running is not None:
            return running.address
        return _start(layout, timeout_s, _options(launcher, allow_network=allow_network))


def stop_service(state: Path, *, timeout_s: float = 10.0) -> bool:
    """Stop the service of a state folder and wait for its end; say whether there was one. Jobs go on."""
    layout = Layout(state.resolve())
    running = _find(layout)
    if running is None:
        return False
    _stop(layout, running.record, timeout_s)
    return True


def make_way(state: Path, *, timeout_s: float = 10.0) -> None:
    """End an idle service that an earlier command started, so that another can serve the state folder.

    Raises ProviderError for one with live jobs, or that somebody started by hand.
    """
    layout = Layout(state.resolve())
    running = _find(layout)
    if running is None:
        return
    where = f"the local service of this project runs at {running.record.base_url}"
    stop = "stop it with `finetune serve --stop`"
    if not running.record.is_detached:
        raise ProviderError(f"{where} (process {running.record.pid}). Use it, or {stop}.")
    if running.live_jobs:
        jobs = ", ".join(running.jobs) or f"{running.live_jobs} jobs"
        raise ProviderError(
            f"{where} and works on {jobs}. Wait for the end, or {stop}: jobs go on without it."
        )
    _stop(layout, running.record, timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """A service that answers."""

    base_url: str
    pid: int
    version: str
    live_jobs: int


def service_state(state: Path) -> ServiceState | None:
    """The running service of a state folder, None without one; starts nothing."""
    running = _find(Layout(state.resolve()))
    if running is None:
        return None
    record = running.record
    return ServiceState(
        base_url=record.base_url, pid=record.pid, version=record.version, live_jobs=running.live_jobs
    )


def has_artefact(state: Path, job_id: str) -> bool:
    """Whether the complete model of a job is on this machine; starts nothing."""
    return JOB_ID.fullmatch(job_id) is not None and Layout(state).manifest(job_id).is_file()


def has_job(state: Path, job_id: str) -> bool:
    """Whether this machine's service knows a job; starts nothing."""
    return JOB_ID.fullmatch(job_id) is not None and Layout(state).job(job_id).is_dir()


def _require_extra() -> None:
    missing = [name for name in EXTRA_MODULES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Training on this machine needs the extra `local` ({', '.join(missing)} not found): "
            "pip install 'finetune-runner[local]'"
        )


def _find(layout: Layout) -> _Running | None:
    """The service that answers at the recorded address; waits for one that is busy, as long as it lives."""
    record = read_record(layout)
    while record is not None:
        try:
            health = _health(record)
        except TimeoutError:
            if not is_locked(layout.service_lock):
                return None
            record = read_record(layout)
            continue
        if health is None:
            return None
        # A service of an earlier version counts its jobs only.
        jobs = tuple(map(str, health.get("jobs", ())))
        return _Running(record=record, live_jobs=int(health["live_jobs"]), jobs=jobs)
    return None


def _health(record: ServiceRecord) -> dict[str, Any] | None:
    """Ask a service how it is; None when nobody or someone else answers. Raises TimeoutError."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz", headers={"Authorization": f"Bearer {record.token}"})
        response = connection.getresponse()
        health: dict[str, Any] = json.loads(response.read(1 << 16))
        return health if response.status == http.client.OK and health["pid"] == record.pid else None
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def _options(launcher: Launcher, *, allow_network: bool) -> list[str]:
    options = ["--processes", str(launcher.n_processes)]
    if launcher.words:
        options += ["--launcher", shlex.join(launcher.words)]
    return [*options, "--allow-network"] if allow_network else options


def _start(layout: Layout, timeout_s: float, options: Sequence[str]) -> ServiceAddress:
    process = _launch(layout, options)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        record = read_record(layout)
        running = _find(layout) if record is not None else None
        if running is not None:
            # Waited for in the background: it is no child to look after, and must not become a zombie either.
            threading.Thread(target=process.wait, daemon=True).start()
            return running.address
        if process.poll() is not None:
            raise ProviderError(f"The local service did not start. {_last_words(layout)}")
        time.sleep(POLL_S)
    process.terminate()
    raise ProviderError(f"The local service did not answer within {timeout_s:g} s. {_last_words(layout)}")


def _launch(layout: Layout, options: Sequence[str]) -> subprocess.Popen[bytes]:
    layout.root.mkdir(parents=True, exist_ok=True)
    is_long = layout.service_log.exists() and layout.service_log.stat().st_size > MAX_LOG_BYTES
    command = [sys.executable, "-m", "runner.local.detached", "--state", str(layout.state)]
    with layout.service_log.open("wb" if is_long else "ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own module
            [*command, *options],
            cwd=PACKAGE_ROOT,
            env=service_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def service_environment() -> dict[str, str]:
    """What a process of the service gets of this one's environment: no provider's key."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(HIDDEN_PREFIXES) and not name.endswith(HIDDEN_SUFFIX)
    }


def _stop(layout: Layout, record: ServiceRecord, timeout_s: float) -> None:
    try:
        # The number belongs to the service: it answered with it a moment ago.
        os.kill(record.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + timeout_s
    while is_locked(layout.service_lock):
        if time.monotonic() > deadline:
            raise ProviderError(
                f"The local service (process {record.pid}) does not stop. Stop it with: kill -9 {record.pid}"
            )
        time.sleep(POLL_S)


def _last_words(layout: Layout) -> str:
    try:
        lines = layout.service_log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    said = " | ".join(one_line(line, limit=500) for line in lines if line.strip())
    return f"Its last words: {said}" if said else f"Its log {layout.shown(layout.service_log)} is empty."
