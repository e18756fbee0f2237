"""Where the local service keeps everything inside a project's state folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runner.canonical import write_atomically
from runner.local.launcher import Launcher

JOB_ID = re.compile(r"ftjob-[0-9a-f]{24}")
# The folder that holds the `runner` package. Child processes start in it, so that `python -m` finds the
# package without an install and never imports a module from the user's project.
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths under `<state>/local`; job and file IDs are made by the service, never by a client."""

    state: Path

    @property
    def root(self) -> Path:
        """The service's own folder."""
        return self.state / "local"

    @property
    def record(self) -> Path:
        """How to reach the running service."""
        return self.root / "service.json"

    @property
    def service_lock(self) -> Path:
        """Held by the service while it runs."""
        return self.root / "service.lock"

    @property
    def start_lock(self) -> Path:
        """Held by a command while it finds or starts the service."""
        return self.root / "start.lock"

    @property
    def service_log(self) -> Path:
        """What the detached service wrote to its standard output and error."""
        return self.root / "service.log"

    @property
    def database(self) -> Path:
        """The SQLite state."""
        return self.root / "state.db"

    @property
    def files(self) -> Path:
        """Uploaded files and result files."""
        return self.root / "files"

    def file(self, file_id: str) -> Path:
        """The bytes of one file."""
        return self.files / file_id

    def upload(self, upload_id: str) -> Path:
        """The parts of an upload that is not complete."""
        return self.root / "uploads" / upload_id

    def batch(self, batch_id: str) -> Path:
        """The answers of a batch that is not finished."""
        return self.root / "batches" / batch_id

    def job(self, job_id: str) -> Path:
        """A job's working folder."""
        return self.root / "jobs" / job_id

    def worker_lock(self, job_id: str) -> Path:
        """Held by a job's worker while it lives."""
        return self.job(job_id) / "worker.lock"

    def processes_lock(self, job_id: str) -> Path:
        """Held by each process that trains a job, also where a launcher came between."""
        return self.job(job_id) / "processes.lock"

    def worker_task(self, job_id: str) -> Path:
        """What the processes besides the first read of their job."""
        return self.job(job_id) / "task.json"

    def worker_failure(self, job_id: str) -> Path:
        """Why one of several processes ended alone."""
        return self.job(job_id) / "failure.json"

    def worker_pid(self, job_id: str) -> Path:
        """The process ID of a job's latest worker, or of the launcher of several."""
        return self.job(job_id) / "worker.pid"

    def worker_log(self, job_id: str) -> Path:
        """What a job's worker wrote to its standard output and error."""
        return self.job(job_id) / "worker.log"

    def training(self, job_id: str) -> Path:
        """What training writes before the model is published; resuming needs it."""
        return self.job(job_id) / "training"

    def model(self, job_id: str) -> Path:
        """A job's final model, its checkpoints inside."""
        return self.root / "models" / job_id

    def checkpoint(self, job_id: str, step: int) -> Path:
        """A job's published checkpoint."""
        return self.model(job_id) / f"ckpt-step-{step}"

    def manifest(self, job_id: str) -> Path:
        """Written last: a model folder with it is complete."""
        return self.model(job_id) / "manifest.json"

    def shown(self, path: Path) -> str:
        """Name a path for people: from the state folder on, without the machine's folders above it."""
        return path.relative_to(self.state.parent).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """How to reach a running service; `version` is the runner's, `launcher` starts its jobs.

    One that `is_detached` was started by a command that needed it, and nobody waits for it.
    """

    pid: int
    port: int
    token: str = field(repr=False)
    version: str
    is_detached: bool = False
    launcher: Launcher = Launcher()

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"


def write_record(layout: Layout, record: ServiceRecord) -> None:
    """Publish how to reach the service, readable by its user alone."""
    content = json.dumps(asdict(record), indent=2, sort_keys=True) + "\n"
    write_atomically(layout.record, content.encode(), mode=0o600)


def read_record(layout: Layout) -> ServiceRecord | None:
    """Read the record of the last service that started; None when there is none that can be read."""
    try:
        content = json.loads(layout.record.read_bytes())
        return ServiceRecord(
            pid=int(content["pid"]),
            port=int(content["port"]),
            token=str(content["token"]),
            version=str(content["version"]),
            is_detached=content.get("is_detached") is True,
            launcher=_launcher(content.get("launcher", {})),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _launcher(content: Mapping[str, Any]) -> Launcher:
    words = tuple(map(str, content.get("words", ())))
    return Launcher(n_processes=int(content.get("n_processes", 1)), words=words)
