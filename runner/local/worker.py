"""Trains one job in a process of its own.

    python -m runner.local.worker --state DIR --job ID

It holds the job's lock, which it inherits from the service, and reports through the store alone.
"""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.clock import Clock, SystemClock
from runner.graders.grade import Means, grade
from runner.graders.parse import parse_grader
from runner.graders.template import Sample
from runner.local.layout import Layout
from runner.local.publish import publish
from runner.local.reporter import StoreReporter
from runner.local.rows import JobRow
from runner.local.store import Store
from runner.local.training.environment import TINY_1_THREADS, prepare_environment
from runner.local.training.job import (
    Grade,
    Hyperparameters,
    Method,
    Reporter,
    TrainingCancelled,
    TrainingError,
    TrainingJob,
    TrainingResult,
)
from runner.local.training.training_file import FilePurpose, read_conversations, read_preferences, read_tasks

MIN_EXAMPLES = 10
FILE_NAMES = {"invalid_training_file": "training file", "invalid_validation_file": "validation file"}

GRADER = "method.reinforcement.grader"
READERS: Mapping[Method, Callable[[Path, FilePurpose], Sequence[object]]] = {
    "supervised": read_conversations,
    "dpo": read_preferences,
    "reinforcement": read_tasks,
}

Train = Callable[[TrainingJob, Reporter], TrainingResult]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One job with everything it is done with."""

    job: JobRow
    store: Store
    layout: Layout
    reporter: StoreReporter
    clock: Clock

    def file(self, file_id: str | None) -> Path | None:
        """Where a file of the job lies."""
        return None if file_id is None else self.layout.file(file_id)


def main(arguments: Sequence[str], train: Train | None = None) -> int:
    """Do one job; its outcome is in the store, and the status is 0 unless that could not be written."""
    parser = argparse.ArgumentParser(prog="runner.local.worker")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--job", required=True)
    options = parser.parse_args(arguments)
    layout, clock = Layout(options.state), SystemClock()
    layout.worker_pid(options.job).write_text(str(os.getpid()))
    # Not durable: what a power cut takes from the log, training makes again.
    store = Store(layout.database, durable=False)
    try:
        job = store.job(options.job)
        if job is not None and job.is_live:
            reporter = StoreReporter(store, layout, job, clock)
            run(Work(job=job, store=store, layout=layout, reporter=reporter, clock=clock), train or _train)
    finally:
        store.close()
    return 0


def run(work: Work, train: Train) -> None:
    """Validate, train and publish; every problem becomes the job's error."""
    try:
        # Also for a job that was paused before its files were looked at.
        if work.job.status != "running":
            _validate(work)
        if work.store.move_job(work.job.id, "running"):
            work.reporter.event("info", "Fine-tuning job started")
            result = train(_training_job(work), work.reporter)
            work.reporter.flush()
            publish(work.store, work.layout, work.job, result, int(work.clock.now()))
    except TrainingCancelled:
        work.reporter.flush()
    except TrainingError as error:
        _fail(work, error.code, _sentence(error), error.param)
    except OSError as error:
        _fail_for_system(work, error)
    except Exception as error:  # the boundary of the process: the job's owner is told about our faults too
        logger.exception("the job failed")
        _fail(
            work, "server_error", f"The job failed due to an internal error: {type(error).__name__}: {error}."
        )


def _validate(work: Work) -> None:
    _validate_file(work, work.job.training_file, "training_file")
    if work.job.validation_file is not None:
        _validate_file(work, work.job.validation_file, "validation_file")
    if work.store.move_job(work.job.id, "queued", allowed_from=["validating_files"]):
        work.reporter.event("info", "Files validated, moving job to queued state")


def _validate_file(work: Work, file_id: str, purpose: FilePurpose) -> None:
    n_examples = len(READERS[work.job.method](work.layout.file(file_id), purpose))
    # Ten training examples, as the hosted service asks; one validation example is enough to measure with.
    if purpose == "training_file" and n_examples < MIN_EXAMPLES:
        found = f"Training file has {n_examples} example(s)"
        message = f"{found}, but must have at least {MIN_EXAMPLES} examples"
        raise TrainingError("invalid_n_examples", message, purpose)


def _training_job(work: Work) -> TrainingJob:
    job = work.job
    return TrainingJob(
        base_model=job.base_model,
        base_model_path=None if job.base_path is None else Path(job.base_path),
        training_file=work.layout.file(job.training_file),
        validation_file=work.file(job.validation_file),
        method=job.method,
        grade=None if job.grader is None else _grade(job.grader),
        hyperparameters=Hyperparameters(**job.hyperparameters),
        seed=job.seed,
        output_dir=work.layout.training(job.id),
        allow_network=job.allow_network,
    )


def _grade(value: Mapping[str, Any]) -> Grade:
    """The reward of a job's grader; the service took it only where what it does is allowed."""
    grader, means = parse_grader(value), Means(allow_code=True)

    def reward(answer: str, item: Mapping[str, Any]) -> float:
        graded = grade(grader, Sample(output_text=answer), item, means)
        if graded.failure is not None:
            raise TrainingError("invalid_grader", f"The grader failed: {graded.details}.", GRADER)
        return graded.score

    return reward


def _train(job: TrainingJob, reporter: Reporter) -> TrainingResult:
    threads = TINY_1_THREADS if job.base_model == "tiny-1" else None
    prepare_environment(allow_network=job.allow_network, threads=threads)
    from runner.local.training.train import train

    return train(job, reporter)


def _sentence(error: TrainingError) -> str:
    name = FILE_NAMES.get(error.code)
    return f"The job failed due to an invalid {name}. {error.message}" if name else error.message


def _fail_for_system(work: Work, error: OSError) -> None:
    logger.exception("the job failed")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        _fail(work, "disk_full", "The disk is full; free some space and run the job again.")
    else:
        _fail(work, "server_error", f"The job failed due to an error of the system: {error}.")


def _fail(work: Work, code: str, message: str, param: str | None = None) -> None:
    with work.store.transaction():
        error = {"code": code, "message": message, "param": param}
        finished_at = int(work.clock.now())
        if work.store.move_job(work.job.id, "failed", finished_at=finished_at, error=error):
            work.reporter.event("error", message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
