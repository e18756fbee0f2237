"""Trains one job in a process of its own, or in several that a launcher starts.

    python -m runner.local.worker --state DIR --job ID
    python -m runner.local.worker --state DIR --job ID --check
    torchrun --nproc-per-node 2 -m runner.local.worker --state DIR --job ID --processes 2

The first process reports, through the store alone; `runner.local.follower` is what the others do.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.clock import Clock, SystemClock
from runner.local.follower import end_with_launcher, follow
from runner.local.layout import Layout
from runner.local.locks import share_lock
from runner.local.publish import publish
from runner.local.reporter import StoreReporter
from runner.local.rows import JobRow
from runner.local.store import Store
from runner.local.task import Train, check_processes, failure_of, training_job, validate_files
from runner.local.training.environment import TINY_1_THREADS, prepare_environment
from runner.local.training.job import Reporter, TrainingCancelled, TrainingJob, TrainingResult
from runner.local.training.processes import is_first, world_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One job with everything it is done with."""

    job: JobRow
    store: Store
    layout: Layout
    reporter: StoreReporter
    clock: Clock


def main(arguments: Sequence[str], train: Train | None = None) -> int:
    """Do one job; its outcome is in the store.

    The status is 0 unless the outcome could not be written, or other processes wait for this one to train:
    launchers end them then.
    """
    parser = argparse.ArgumentParser(prog="runner.local.worker")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="look at the files alone")
    options = parser.parse_args(arguments)
    layout = Layout(options.state)
    if not options.check:
        # For as long as this process lives: what started it may not pass on the lock that it was given.
        share_lock(layout.processes_lock(options.job))
    if world_size() > 1:
        end_with_launcher()
    if not is_first():
        return follow(layout, options.job, options.processes, train or _train)
    # Not durable: what a power cut takes from the log, training makes again.
    store = Store(layout.database, durable=False)
    try:
        job = store.job(options.job)
        if job is None or not job.is_live:
            return int(world_size() > 1)
        clock = SystemClock()
        reporter = StoreReporter(store, layout, job, clock)
        work = Work(job=job, store=store, layout=layout, reporter=reporter, clock=clock)
        if options.check:
            check(work)
            return 0
        has_trained = run(work, train or _train, options.processes)
    finally:
        store.close()
    return int(world_size() > 1 and not has_trained)


def run(work: Work, train: Train, n_processes: int = 1) -> bool:
    """Validate, train and publish; every problem becomes the job's error.

    True where every process has come to the end of training, also because the job was stopped meanwhile.
    """
    try:
        check_processes(n_processes)
        # Also for a job that was paused before its files were looked at.
        if work.job.status != "running":
            _validate(work)
        if not work.store.move_job(work.job.id, "running"):
            return False
        together = f" in {n_processes} processes" if n_processes > 1 else ""
        work.reporter.event("info", f"Fine-tuning job started{together}")
        result = train(training_job(work.layout, work.job), work.reporter)
        work.reporter.flush()
        publish(work.store, work.layout, work.job, result, int(work.clock.now()))
    except TrainingCancelled:
        work.reporter.flush()
    except Exception as error:  # noqa: BLE001 - the boundary of the process: its owner is told of our faults too
        _fail(work, error)
        return False
    return True


def check(work: Work) -> None:
    """Look at the files of a job that waits for its turn, so that a bad one is told before."""
    try:
        _validate(work)
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        _fail(work, error)


def _fail(work: Work, error: Exception) -> None:
    failure = failure_of(error, work.layout.shown(work.layout.worker_log(work.job.id)))
    with work.store.transaction():
        finished_at = int(work.clock.now())
        if work.store.move_job(work.job.id, "failed", finished_at=finished_at, error=asdict(failure)):
            work.reporter.event("error", failure.message)


def _validate(work: Work) -> None:
    validate_files(work.layout, work.job)
    if work.store.move_job(work.job.id, "queued", allowed_from=["validating_files"]):
        work.reporter.event("info", "Files validated, moving job to queued state")


def _train(job: TrainingJob, reporter: Reporter | None) -> TrainingResult:
    threads = TINY_1_THREADS if job.base_model == "tiny-1" else None
    prepare_environment(allow_network=job.allow_network, threads=threads)
    from runner.local.training.train import train

    return train(job, reporter)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
