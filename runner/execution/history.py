"""The runs of a recipe so far, on disk for people to read: nothing is decided by it and nothing hashes it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.canonical import append_durably, canonical_json, sha256_of
from runner.clock import Clock
from runner.lock.lockfile import LockedRun, run_value
from runner.recipe.load import LoadedRecipe

# What is read of a history at most, from its end: some thousand runs.
READ_BYTES = 4 << 20
BEFORE = "in the lockfile before"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A job that was made for a recipe, as it was last seen; `job` and `dataset` are as in the lockfile.

    `at` is that time in UTC, empty where a job was only found in the lockfile.
    """

    at: str
    profile: str
    reason: str
    job: Mapping[str, Any]
    dataset: Mapping[str, Any]


class History:
    """An append-only file of one recipe's runs under all its profiles; every line is fsynced."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock

    def record(self, profile: str, run: LockedRun, reason: str | None = None) -> None:
        """Append a job as it is now; without a reason, the one of its earlier lines stands.

        One that is looked at again, and is as it was, keeps its time and its place.
        """
        if reason is None and self._says(profile, run):
            return
        now = datetime.fromtimestamp(int(self.clock.now()), tz=UTC)
        self._append(profile, run, reason or "", now.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def keep(self, profile: str, run: LockedRun) -> None:
        """Append a job that is about to leave the lockfile, if it is not here yet."""
        job_id = run.job.id if run.job else ""
        if all((past.profile, past.job["id"]) != (profile, job_id) for past in self.runs()):
            self._append(profile, run, BEFORE, "")

    def runs(self) -> list[PastRun]:
        """The last runs, latest first."""
        found: dict[tuple[str, str], PastRun] = {}
        for past in self._lines():
            key = (past.profile, past.job["id"])
            earlier = found.pop(key, None)
            found[key] = replace(past, reason=past.reason or earlier.reason) if earlier else past
        return list(reversed(found.values()))

    def _says(self, profile: str, run: LockedRun) -> bool:
        now = json.loads(canonical_json(run_value(run)["job"]))
        last = next(
            (past for past in self.runs() if (past.profile, past.job["id"]) == (profile, now["id"])), None
        )
        return last is not None and last.job == now

    def _append(self, profile: str, run: LockedRun, reason: str, at: str) -> None:
        value = run_value(run)
        line = {
            "at": at,
            "profile": profile,
            "reason": reason,
            "job": value["job"],
            "dataset": value["dataset"],
        }
        # Nothing is decided by it, and a full disk must not hide what became of a job.
        with suppress(OSError):
            append_durably(self.path, canonical_json(line))

    def _lines(self) -> Iterator[PastRun]:
        """The lines that are whole, which the last one is not after a crash."""
        for line in self._tail().splitlines():
            try:
                yield _past_run(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue

    def _tail(self) -> bytes:
        try:
            with self.path.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(0, size - READ_BYTES))
                return stream.read(READ_BYTES)
        except OSError:
            return b""


def _past_run(value: dict[str, Any]) -> PastRun:
    job = dict(value["job"])
    return PastRun(
        at=str(value["at"]),
        profile=str(value["profile"]),
        reason=str(value["reason"]),
        job={**job, "id": str(job["id"])},
        dataset=dict(value["dataset"]),
    )


def history_of(loaded: LoadedRecipe, clock: Clock) -> History:
    """The history of a recipe, in the state folder of its project."""
    name = sha256_of(loaded.project.name_of(loaded.lock_path))[:16]
    return History(loaded.project.make_state() / "history" / f"{name}.jsonl", clock)
