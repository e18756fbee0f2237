"""The SQLite state that the service and its workers share."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from runner.errors import RunnerError
from runner.local.rows import (
    LIVE,
    LIVE_BATCH,
    UNFINISHED,
    BatchRow,
    BatchStatus,
    CheckpointRow,
    CompletionRow,
    EventRow,
    FileRow,
    JobRow,
    JobStatus,
    ModelRow,
    PartRow,
    PermissionRow,
    UploadRow,
    UploadStatus,
)
from runner.local.tables import MIGRATIONS

BUSY_TIMEOUT_S = 20.0
TABLES: dict[type, str] = {
    FileRow: "files",
    UploadRow: "uploads",
    PartRow: "parts",
    JobRow: "jobs",
    EventRow: "events",
    CheckpointRow: "checkpoints",
    ModelRow: "models",
    PermissionRow: "permissions",
    BatchRow: "batches",
    CompletionRow: "completions",
}
JSON_COLUMNS = frozenset(
    {
        "completion",
        "data",
        "error",
        "errors",
        "grader",
        "hyperparameters",
        "integrations",
        "messages",
        "metadata",
        "metrics",
        "result_files",
        "weights",
    }
)
BOOLEAN_COLUMNS = frozenset({"allow_network", "is_checkpoint"})
TUPLE_COLUMNS = frozenset({"errors", "integrations", "messages", "result_files"})

AnyRow = (
    FileRow
    | UploadRow
    | PartRow
    | JobRow
    | EventRow
    | CheckpointRow
    | ModelRow
    | PermissionRow
    | BatchRow
    | CompletionRow
)
Row = TypeVar("Row", bound=AnyRow)


class Store:
    """One connection to the state; every method is one transaction unless it runs inside `transaction`.

    A durable store keeps what it acknowledged through a power cut, any store through a killed process.
    Opening one brings an older state up to date, and raises RunnerError when the file is not such a state.
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
        except RunnerError:
            self.close()
            raise

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

    def add(self, *rows: AnyRow) -> None:
        """Add rows together; a row whose ID is there already is left as it was."""
        with self.transaction():
            for row in rows:
                values = _to_columns(asdict(row))
                self._connection.execute(_insertion(type(row)), values)

    def replace(self, row: AnyRow) -> None:
        """Put a row in the place of the one with its ID."""
        values = _to_columns(asdict(row))
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        self._connection.execute(f"UPDATE {TABLES[type(row)]} SET {assignments} WHERE id = :id", values)  # noqa: S608 - our names

    def find(self, kind: type[Row], row_id: str) -> Row | None:
        """One row by its ID."""
        rows = self._many(kind, "WHERE id = ?", row_id)
        return rows[0] if rows else None

    def rows(self, kind: type[Row]) -> list[Row]:
        """Every row of a kind, newest first."""
        return self._many(kind, "ORDER BY seq DESC")

    def remove(self, kind: type[Row], row_id: str) -> None:
        """Forget a row."""
        self._connection.execute(f"DELETE FROM {TABLES[kind]} WHERE id = ?", (row_id,))  # noqa: S608 - our names

    def file(self, file_id: str, now: float) -> FileRow | None:
        """One file, unless it has expired."""
        row = self.find(FileRow, file_id)
        return None if row is None or _has_expired(row, now) else row

    def files(self, now: float, purpose: str | None = None) -> list[FileRow]:
        """Files that have not expired, newest first."""
        where = "WHERE ? IN ('', purpose) AND (expires_at IS NULL OR expires_at > ?) ORDER BY seq DESC"
        return self._many(FileRow, where, purpose or "", now)

    def expired_files(self, now: float) -> list[FileRow]:
        """Files whose time is over."""
        return self._many(FileRow, "WHERE expires_at <= ?", now)

    def job(self, job_id: str) -> JobRow | None:
        """One job."""
        return self.find(JobRow, job_id)

    def jobs(self) -> list[JobRow]:
        """Jobs, newest first."""
        return self.rows(JobRow)

    def remove_job(self, job_id: str) -> None:
        """Forget a job and its log."""
        with self.transaction():
            self._connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            self._connection.execute("DELETE FROM events WHERE job_id = ?", (job_id,))

    def live_jobs(self) -> list[JobRow]:
        """Jobs that run or wait for their turn, oldest first."""
        return self._many(JobRow, f"WHERE status IN {LIVE!r} ORDER BY seq")

    def unfinished_jobs(self) -> list[JobRow]:
        """Live jobs and paused ones, oldest first."""
        return self._many(JobRow, f"WHERE status IN {UNFINISHED!r} ORDER BY seq")

    def may_go_on(self, job: JobRow) -> bool:
        """Whether the worker of a job is still wanted; cheap enough to ask at every training step."""
        statement = "SELECT status, pauses FROM jobs WHERE id = ?"
        found = self._connection.execute(statement, (job.id,)).fetchone()
        return found is not None and found["status"] in LIVE and found["pauses"] == job.pauses

    def move_job(
        self, job_id: str, to: JobStatus, *, allowed_from: Sequence[JobStatus] = LIVE, **changes: Any
    ) -> bool:
        """Give a job a new status and values if its status still allows it; say whether it did.

        Of a cancellation and a success that arrive together, the first one stays.
        """
        return self._move(JobRow, job_id, to, allowed_from, changes)

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
        return self.find(ModelRow, name)

    def models(self) -> list[ModelRow]:
        """Fine-tuned models and checkpoints, oldest first."""
        return self._many(ModelRow, "ORDER BY seq")

    def remove_model(self, name: str) -> None:
        """Forget a model, the checkpoint that it is, and who may use it."""
        with self.transaction():
            self._connection.execute("DELETE FROM permissions WHERE checkpoint = ?", (name,))
            self._connection.execute("DELETE FROM models WHERE id = ?", (name,))
            self._connection.execute("DELETE FROM checkpoints WHERE model = ?", (name,))

    def remove_models_of(self, job_id: str) -> None:
        """Forget everything that a job trained."""
        with self.transaction():
            for row in self._many(ModelRow, "WHERE job_id = ?", job_id):
                self.remove_model(row.id)

    def permissions(self, checkpoint: str) -> list[PermissionRow]:
        """Who may use a checkpoint, oldest first."""
        return self._many(PermissionRow, "WHERE checkpoint = ? ORDER BY seq", checkpoint)

    def parts(self, upload_id: str) -> list[PartRow]:
        """The pieces of an upload, in the order of their arrival."""
        return self._many(PartRow, "WHERE upload_id = ? ORDER BY seq", upload_id)

    def overdue_uploads(self, now: float) -> list[UploadRow]:
        """Uploads that were not completed in time."""
        return self._many(UploadRow, "WHERE status = 'pending' AND expires_at <= ?", now)

    def move_upload(self, upload_id: str, to: UploadStatus, **changes: Any) -> bool:
        """End a pending upload; False when it has ended already."""
        return self._move(UploadRow, upload_id, to, ("pending",), changes)

    def live_batches(self) -> list[BatchRow]:
        """Batches that are not finished, oldest first."""
        return self._many(BatchRow, f"WHERE status IN {LIVE_BATCH!r} ORDER BY seq")

    def move_batch(
        self, batch_id: str, to: BatchStatus, *, allowed_from: Sequence[BatchStatus], **changes: Any
    ) -> bool:
        """Give a batch a new status and values if its status still allows it; say whether it did."""
        return self._move(BatchRow, batch_id, to, allowed_from, changes)

    def update_batch(self, batch_id: str, **changes: int) -> None:
        """Give a batch new counts; its status stays."""
        assignments = ", ".join(f"{name} = :{name}" for name in changes)
        statement = f"UPDATE batches SET {assignments} WHERE id = :id"  # noqa: S608 - our names
        self._connection.execute(statement, {**changes, "id": batch_id})

    def _move(
        self, kind: type, row_id: str, to: str, allowed_from: Sequence[str], changes: dict[str, Any]
    ) -> bool:
        values = _to_columns({"status": to, **changes})
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        places = ", ".join(f":from_{index}" for index in range(len(allowed_from)))
        statement = f"UPDATE {TABLES[kind]} SET {assignments} WHERE id = :id AND status IN ({places})"  # noqa: S608 - our names
        origins = {f"from_{index}": status for index, status in enumerate(allowed_from)}
        return self._connection.execute(statement, {**values, **origins, "id": row_id}).rowcount == 1

    def _many(self, kind: type[Row], where: str, *parameters: object) -> list[Row]:
        statement = f"SELECT * FROM {TABLES[kind]} {where}"  # noqa: S608 - both are constants of this module
        return [_from_columns(kind, found) for found in self._connection.execute(statement, parameters)]

    def _migrate(self) -> None:
        with self.transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise RunnerError(
                    "The local service's state was written by a newer version of finetune-runner (state "
                    f"{version}, expected at most {len(MIGRATIONS)}). Install that version, or delete the "
                    "folder `.finetune/local`."
                )
            for script in MIGRATIONS[version:]:
                for statement in script.split(";"):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def page(rows: Iterable[Row], *, after: str | None, limit: int) -> tuple[list[Row], bool]:
    """Cut one page out of listed rows: those behind the ID `after`, and whether more follow."""
    listed = list(rows)
    if after is not None:
        positions = [index for index, row in enumerate(listed) if row.id == after]
        listed = listed[positions[0] + 1 :] if positions else []
    return listed[:limit], len(listed) > limit


def _has_expired(row: FileRow, now: float) -> bool:
    return row.expires_at is not None and row.expires_at <= now


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
    # Only the columns that this version knows: a worker may outlive an update of the service.
    values = {column.name: found[column.name] for column in fields(kind)}
    for name in JSON_COLUMNS & values.keys():
        values[name] = None if values[name] is None else json.loads(values[name])
    for name in BOOLEAN_COLUMNS & values.keys():
        values[name] = bool(values[name])
    for name in TUPLE_COLUMNS & values.keys():
        values[name] = tuple(values[name])
    return kind(**values)
