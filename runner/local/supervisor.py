"""Runs jobs in turn, each in processes that outlive the service."""

import asyncio
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from runner.clock import Clock
from runner.local.identifiers import new_id
from runner.local.launcher import Launcher
from runner.local.launching import check_files, describe_exit, left_failure, start_worker, stop_worker
from runner.local.layout import Layout
from runner.local.locks import is_locked, try_lock
from runner.local.rows import EventRow, JobRow, Level
from runner.local.store import Store

POLL_S = 0.1
# A cancelled worker stops by itself within two steps; loading a large model is not divided into steps.
CANCEL_GRACE_S = 15.0
KILL_GRACE_S = 5.0
RETRY_S = 5.0
MAX_STARTS = 2
# Loading torch takes 6-8 s: begun this long before a job ends, the first chat with its model does not wait.
WARM_BEFORE_END_S = 15

logger = logging.getLogger(__name__)


class Supervisor:
    """Starts, watches and stops workers, `max_jobs` at a time; `warm` is called when a job nears its end.

    A worker is one process, or several that `launcher` starts together.

    A failure that cannot be written, because the disk is full, is kept in memory until it can be.
    """

    def __init__(  # noqa: PLR0913 - what it works with, and two decisions of the operator
        self,
        layout: Layout,
        store: Store,
        clock: Clock,
        worker_module: str,
        warm: Callable[[], None],
        max_jobs: int = 1,
        launcher: Launcher | None = None,
    ) -> None:
        self._layout = layout
        self._store = store
        self._clock = clock
        self._worker_module = worker_module
        self._warm = warm
        self._max_jobs = max_jobs
        self._launcher = launcher or Launcher()
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._told_positions: dict[str, int] = {}
        self._unwritten: dict[str, JobRow] = {}
        self._check: asyncio.Task[None] | None = None
        self._seen: set[str] = set()

    def current(self, job: JobRow) -> JobRow:
        """A stored job, or the failure that could not be stored yet."""
        return self._unwritten.get(job.id, job) if job.is_live else job

    def submit(self, job: JobRow) -> None:
        """Take up a job that was just stored or resumed."""
        self._layout.job(job.id).mkdir(parents=True, exist_ok=True)
        self._wake.set()

    async def run(self) -> None:
        """Work through the jobs until cancelled; workers are left alone then."""
        try:
            await self._guarded(self._take_over_all)
            while True:
                self._wake.clear()
                await self._guarded(self._start_next)
                await self._sleep()
        finally:
            tasks = [*self._running.values(), *([self._check] if self._check else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, step: Callable[[], Awaitable[None] | None]) -> None:
        """Take a step of the queue; where the disk is full, wait and look at the queue again."""
        try:
            waited_for = step()
            if waited_for is not None:
                await waited_for
        except (sqlite3.Error, OSError):
            # A full disk must not end the service: the state is still readable and jobs may be cancelled.
            logger.exception("the job queue stopped; it goes on in %s s", RETRY_S)
            await asyncio.sleep(RETRY_S)
            self._wake.set()

    def _take_over_all(self) -> None:
        for job in self._store.live_jobs():
            self._take_over(job)

    async def _sleep(self) -> None:
        """Wait for a new job, or for the time to write again what could not be written."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), RETRY_S if self._unwritten else None)

    def _live_jobs(self) -> list[JobRow]:
        return [job for job in self._store.live_jobs() if job.id not in self._unwritten]

    def _start_next(self) -> None:
        """Watch every job that has a worker, give one to the next while there is room, tell the others."""
        self._write_failures()
        live = [job for job in self._live_jobs() if job.id not in self._running]
        adopted = [job for job in live if self._has_worker(job)]
        waiting = [job for job in live if job not in adopted]
        n_free = max(self._max_jobs - len(self._running) - len(adopted), 0)
        for job in [*adopted, *waiting[:n_free]]:
            self._running[job.id] = asyncio.create_task(self._guarded(partial(self._run_job, job)))
            self._running[job.id].add_done_callback(partial(self._ended, job.id))
        self._tell_positions(waiting[n_free:])
        self._check_files(waiting[n_free:])

    def _ended(self, job_id: str, _task: asyncio.Task[None]) -> None:
        del self._running[job_id]
        self._wake.set()

    def _check_files(self, waiting: list[JobRow]) -> None:
        """Have the files of a waiting job looked at, one job at a time, so that a bad file need not wait."""
        unseen = [job for job in waiting if job.status == "validating_files" and job.id not in self._seen]
        if unseen and self._check is None:
            self._seen.add(unseen[0].id)
            self._check = asyncio.create_task(self._guarded(partial(self._check_job, unseen[0])))
            self._check.add_done_callback(self._checked)

    async def _check_job(self, job: JobRow) -> None:
        await check_files(self._layout, job, self._worker_module)

    def _checked(self, _task: asyncio.Task[None]) -> None:
        self._check = None
        self._wake.set()

    def _tell_positions(self, waiting: list[JobRow]) -> None:
        positions = {job.id: number for number, job in enumerate(waiting, start=1)}
        limit = "one job is" if self._max_jobs == 1 else f"{self._max_jobs} jobs are"
        for job_id, position in positions.items():
            if self._told_positions.get(job_id) != position:
                self._event(job_id, "info", f"Position {position} in the queue: {limit} trained at a time")
        self._told_positions = positions

    def _take_over(self, job: JobRow) -> None:
        """Decide about a job of an earlier service: its worker may live, or have died with the machine."""
        self._layout.job(job.id).mkdir(parents=True, exist_ok=True)
        if job.starts == 0 or self._has_worker(job):
            return
        if job.starts >= MAX_STARTS:
            self._fail(
                job, "worker_died", f"The training process ended without a result twice. {self._log(job)}"
            )
            return
        self._restart(
            job, "The training process was gone when the service started; the job goes on in a new one"
        )

    async def _run_job(self, job: JobRow) -> None:
        try:
            process = self._start(job)
        except (OSError, sqlite3.Error) as error:
            self._fail(job, "worker_not_started", f"The training process could not be started: {error}.")
            return
        await self._watch(job, process)
        ended = self._store.job(job.id)
        if ended is not None and ended.is_live and ended.pauses == job.pauses:
            self._go_on_after(ended, process.returncode if process is not None else None)
        self._remove_unfinished(job)

    def _start(self, job: JobRow) -> subprocess.Popen[bytes] | None:
        """Start a worker, unless the job has one; it inherits its lock and is never alive without it."""
        # Processes may outlive their launcher, for as long as they take to notice.
        lock = None if self._has_worker(job) else try_lock(self._layout.worker_lock(job.id))
        if lock is None:
            return None
        self._store.update_job(job.id, starts=job.starts + 1)
        try:
            return start_worker(self._layout, job, self._worker_module, self._launcher, lock)
        finally:
            os.close(lock)

    async def _watch(self, job: JobRow, process: subprocess.Popen[bytes] | None) -> None:
        cancelled_at = None
        while process.poll() is None if process is not None else self._has_worker(job):
            await asyncio.sleep(POLL_S)
            current = self._store.job(job.id)
            if current is not None and self._store.may_go_on(job):
                self._warm_in_time(current)
                continue
            cancelled_at = cancelled_at or self._clock.now()
            self._stop(job, waited_s=self._clock.now() - cancelled_at)

    def _warm_in_time(self, job: JobRow) -> None:
        if job.estimated_finish is not None and job.estimated_finish - self._clock.now() < WARM_BEFORE_END_S:
            self._warm()

    def _stop(self, job: JobRow, *, waited_s: float) -> None:
        if waited_s < CANCEL_GRACE_S:
            return
        try:
            number = signal.SIGTERM if waited_s < CANCEL_GRACE_S + KILL_GRACE_S else signal.SIGKILL
            # The number of the process is still the worker's: its lock was held a moment ago.
            stop_worker(self._layout, job.id, number)
        except (OSError, ValueError):
            logger.warning("the worker of %s could not be stopped", job.id)

    def _remove_unfinished(self, job: JobRow) -> None:
        """Remove a model folder that a worker was about to publish when its job was cancelled or it died."""
        ended = self._store.job(job.id)
        if ended is not None and ended.status != "succeeded" and self._layout.model(job.id).exists():
            shutil.rmtree(self._layout.model(job.id))
            self._store.remove_models_of(job.id)

    def _has_worker(self, job: JobRow) -> bool:
        locks = (self._layout.worker_lock(job.id), self._layout.processes_lock(job.id))
        return any(is_locked(lock) for lock in locks)

    def _go_on_after(self, job: JobRow, code: int | None) -> None:
        """Tell why a worker ended without a result; one that was killed is followed by another.

        Not so where that one came no further than the one before it.
        """
        n_processes = self._launcher.n_processes
        left = left_failure(self._layout, job.id)
        ended = describe_exit("training", code, n_processes)
        was_killed = code is None or code < 0 or n_processes > 1
        if left is not None:
            self._fail(job, str(left["code"]), str(left["message"]), left["param"])
        elif was_killed and job.starts < MAX_STARTS:
            self._restart(job, f"{ended} The job goes on in a new one")
        else:
            again = " The one before it came no further." if was_killed else ""
            self._fail(job, "worker_died", f"{ended}{again} {self._log(job)}")

    def _restart(self, job: JobRow, why: str) -> None:
        """Let a job whose worker is gone wait for another one."""
        with self._store.transaction():
            if self._store.move_job(job.id, "queued" if job.status == "running" else job.status):
                self._event(job.id, "warn", why)

    def _fail(self, job: JobRow, code: str, message: str, param: str | None = None) -> None:
        error = {"code": code, "message": message, "param": param}
        failed = replace(job, status="failed", finished_at=int(self._clock.now()), error=error)
        try:
            self._write_failure(failed)
        except (OSError, sqlite3.Error) as reason:
            logger.exception("the failure of %s could not be written", job.id)
            said = f"{message} The state folder cannot be written ({reason}): free some space."
            self._unwritten[job.id] = replace(failed, error={**error, "message": said})

    def _write_failure(self, failed: JobRow) -> None:
        error = failed.error or {}
        with self._store.transaction():
            if self._store.move_job(failed.id, "failed", finished_at=failed.finished_at, error=error):
                self._event(failed.id, "error", str(error.get("message")))

    def _write_failures(self) -> None:
        for failed in list(self._unwritten.values()):
            with suppress(OSError, sqlite3.Error):
                self._write_failure(failed)
                del self._unwritten[failed.id]

    def _event(self, job_id: str, level: Level, message: str) -> None:
        now = int(self._clock.now())
        self._store.add(
            EventRow(id=new_id("ftevent"), job_id=job_id, created_at=now, level=level, message=message)
        )

    def _log(self, job: JobRow) -> str:
        return f"Its log: {self._layout.shown(self._layout.worker_log(job.id))}"
