"""The SQLite state that the service and its workers share."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from runner.errors import RunnerError
from runner.local.rows import LIVE, CheckpointRow, EventRow, FileRow, JobRow, JobStatus, ModelRow

BUSY_TIMEOUT_S = 20.0
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, filename TEXT NOT NULL,
  purpose TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL,
  request_sha256 TEXT);
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, created_at INTEGER NOT NULL,
  model TEXT NOT NULL, base_model TEXT NOT NULL, base_path TEXT, fine_tuned_model TEXT NOT NULL,
  status TEXT NOT NULL,
  training_file TEXT NOT NULL, validation_file TEXT, hyperparameters TEXT NOT NULL, seed INTEGER NOT NULL,
  suffix TEXT, metadata TEXT, allow_network INTEGER NOT NULL, request_sha256 TEXT, starts INTEGER NOT NULL,
  finished_at INTEGER, estimated_finish INTEGER, trained_tokens INTEGER, result_files TEXT NOT NULL,
  error TEXT, weights TEXT);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL,
  data TEXT NOT NULL);
CREATE INDEX events_by_job ON events (job_id, seq);
CREATE TABLE checkpoints (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, step INTEGER NOT NULL, model TEXT NOT NULL, metrics TEXT NOT NULL);
CREATE TABLE models (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, base_model TEXT NOT NULL, path TEXT NOT NULL, is_checkpoint INTEGER NOT NULL);
"""
TABLES: dict[type, str] = {
    FileRow: "files",
    JobRow: "jobs",
    EventRow: "events",
    CheckpointRow: "checkpoints",
    ModelRow: "models",
}
JSON_COLUMNS = frozenset(
    {"hyperparameters", "metadata", "result_files", "error", "weights", "data", "metrics"}
)
BOOLEAN_COLUMNS = frozenset({"allow_network", "is_checkpoint"})

Row = TypeVar("Row", FileRow, JobRow, EventRow, CheckpointRow, ModelRow)


class Store:
    """One connection to the state; every method is one transaction unless it runs inside `transaction`.

    A durable store keeps what it acknowledged through a power cut, any store through a killed process.
    Opening one raises RunnerError when the file is not such a state.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._migrate()
        except sqlite3.DatabaseError as error:
            self.close()
            raise RunnerError(
                f"The local service's state {path} cannot be used: {error}. "
                f"Move the folder {path.parent} away to start anew; the models in it are kept there."
            ) from error

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen together or not at all."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def add(self, *rows: FileRow | JobRow | EventRow | CheckpointRow | ModelRow) -> None:
        """Add rows together; a row whose ID is there already is left as it was."""
        with self.transaction():
            for row in rows:
                values = _to_columns(asdict(row))
                self._connection.execute(_insertion(type(row)), values)

    def file(self, file_id: str) -> FileRow | None:
        """One file."""
        return self._one(FileRow, "WHERE id = ?", file_id)

    def files(self, purpose: str | None = None) -> list[FileRow]:
        """Files, newest first."""
        if purpose is None:
            return self._many(FileRow, "ORDER BY seq DESC")
        return self._many(FileRow, "WHERE purpose = ? ORDER BY seq DESC", purpose)

    def remove_file(self, file_id: str) -> None:
        """Forget a file."""
        self._connection.execute("DELETE FROM files WHERE id = ?", (file_id,))

    def job(self, job_id: str) -> JobRow | None:
        """One job."""
        return self._one(JobRow, "WHERE id = ?", job_id)

    def jobs(self) -> list[JobRow]:
        """Jobs, newest first."""
        return self._many(JobRow, "ORDER BY seq DESC")

    def remove_job(self, job_id: str) -> None:
        """Forget a job and its log."""
        with self.transaction():
            self._connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            self._connection.execute("DELETE FROM events WHERE job_id = ?", (job_id,))

    def live_jobs(self) -> list[JobRow]:
        """Jobs that are not finished, oldest first."""
        return self._many(JobRow, f"WHERE status IN {LIVE!r} ORDER BY seq")

    def is_live(self, job_id: str) -> bool:
        """Whether a job may still change; cheap enough to ask at every training step."""
        found = self._connection.execute("SELECT status FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return found is not None and found["status"] in LIVE

    def move_job(
        self, job_id: str, to: JobStatus, *, allowed_from: Sequence[JobStatus] = LIVE, **changes: Any
    ) -> bool:
        """Give a job a new status and values if its status still allows it; say whether it did.

        Of a cancellation and a success that arrive together, the first one stays.
        """
        values = _to_columns({"status": to, **changes})
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        places = ", ".join(f":from_{index}" for index in range(len(allowed_from)))
        statement = f"UPDATE jobs SET {assignments} WHERE id = :id AND status IN ({places})"  # noqa: S608 - our names
        origins = {f"from_{index}": status for index, status in enumerate(allowed_from)}
        return self._connection.execute(statement, {**values, **origins, "id": job_id}).rowcount == 1

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Give a live job new values; its status stays."""
        values = _to_columns(changes)
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        statement = f"UPDATE jobs SET {assignments} WHERE id = :id AND status IN {LIVE!r}"  # noqa: S608 - our names
        self._connection.execute(statement, {**values, "id": job_id})

    def events(self, job_id: str, *, after: str | None = None, limit: int) -> list[EventRow]:
        """A job's events, newest first: those older than the event `after`, at most `limit`."""
        if after is None:
            return self._many(EventRow, "WHERE job_id = ? ORDER BY seq DESC LIMIT ?", job_id, limit)
        where = "WHERE job_id = ? AND seq < (SELECT seq FROM events WHERE id = ?) ORDER BY seq DESC LIMIT ?"
        return self._many(EventRow, where, job_id, after, limit)

    def checkpoints(self, job_id: str) -> list[CheckpointRow]:
        """A job's checkpoints, the last step first."""
        return self._many(CheckpointRow, "WHERE job_id = ? ORDER BY step DESC", job_id)

    def model(self, name: str) -> ModelRow | None:
        """One fine-tuned model or checkpoint."""
        return self._one(ModelRow, "WHERE id = ?", name)

    def models(self) -> list[ModelRow]:
        """Fine-tuned models and checkpoints, oldest first."""
        return self._many(ModelRow, "ORDER BY seq")

    def remove_model(self, name: str) -> None:
        """Forget a model, and the checkpoint that it is."""
        with self.transaction():
            self._connection.execute("DELETE FROM models WHERE id = ?", (name,))
            self._connection.execute("DELETE FROM checkpoints WHERE model = ?", (name,))

    def remove_models_of(self, job_id: str) -> None:
        """Forget everything that a job trained."""
        with self.transaction():
            self._connection.execute("DELETE FROM models WHERE job_id = ?", (job_id,))
            self._connection.execute("DELETE FROM checkpoints WHERE job_id = ?", (job_id,))

    def _one(self, kind: type[Row], where: str, *parameters: object) -> Row | None:
        rows = self._many(kind, where, *parameters)
        return rows[0] if rows else None

    def _many(self, kind: type[Row], where: str, *parameters: object) -> list[Row]:
        statement = f"SELECT * FROM {TABLES[kind]} {where}"  # noqa: S608 - both are constants of this module
        return [_from_columns(kind, found) for found in self._connection.execute(statement, parameters)]

    def _migrate(self) -> None:
        with self.transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == SCHEMA_VERSION:
                return
            if version != 0:
                raise RunnerError(
                    "The local service's state was written by another version of finetune-runner (state "
                    f"{version}, expected {SCHEMA_VERSION}). Install that version, or delete the folder "
                    "`.finetune/local`."
                )
            for statement in SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def page(rows: Iterable[Row], *, after: str | None, limit: int) -> tuple[list[Row], bool]:
    """Cut one page out of listed rows: those behind the ID `after`, and whether more follow."""
    listed = list(rows)
    if after is not None:
        positions = [index for index, row in enumerate(listed) if row.id == after]
        listed = listed[positions[0] + 1 :] if positions else []
    return listed[:limit], len(listed) > limit


def _insertion(kind: type) -> str:
    names = [column.name for column in fields(kind)]
    places = ", ".join(f":{name}" for name in names)
    return f"INSERT OR IGNORE INTO {TABLES[kind]} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - our names


def _to_columns(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if name in JSON_COLUMNS and value is not None else value
        for name, value in values.items()
    }


def _from_columns(kind: type[Row], found: sqlite3.Row) -> Row:
    values = {name: found[name] for name in found.keys() if name != "seq"}  # noqa: SIM118 - a Row iterates its values
    for name in JSON_COLUMNS & values.keys():
        values[name] = None if values[name] is None else json.loads(values[name])
    for name in BOOLEAN_COLUMNS & values.keys():
        values[name] = bool(values[name])
    if "result_files" in values:
        values["result_files"] = tuple(values["result_files"])
    return kind(**values)
