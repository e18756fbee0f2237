"""What every process of a job does with it: check, prepare, and put into words what went wrong."""

import errno
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from runner.graders.grade import Means, grade
from runner.graders.parse import parse_grader
from runner.graders.template import Sample
from runner.local.layout import Layout
from runner.local.rows import JobRow
from runner.local.training.job import (
    Grade,
    Hyperparameters,
    Method,
    Reporter,
    TrainingError,
    TrainingJob,
    TrainingOptions,
    TrainingResult,
)
from runner.local.training.model_folder import check_base_model
from runner.local.training.processes import world_size
from runner.local.training.training_file import FilePurpose, read_conversations, read_preferences, read_tasks

MIN_EXAMPLES = 10
FILE_NAMES = {"invalid_training_file": "training file", "invalid_validation_file": "validation file"}
GRADER = "method.reinforcement.grader"
READERS: Mapping[Method, Callable[[Path, FilePurpose], Sequence[object]]] = {
    "supervised": read_conversations,
    "dpo": read_preferences,
    "reinforcement": read_tasks,
}

Train = Callable[[TrainingJob, Reporter | None], TrainingResult]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error of a job, in the hosted API's shape."""

    code: str
    message: str
    param: str | None = None


def check_processes(expected: int) -> None:
    """Make sure that as many processes train together as the operator asked for. Raises TrainingError."""
    found = world_size()
    if found != expected:
        processes = "1 process" if found == 1 else f"{found} processes"
        raise TrainingError(
            "wrong_number_of_processes",
            f"The launcher started {processes}, expected {expected}. Change `--processes` or `--launcher` of "
            "`finetune serve` (FINETUNE_PROCESSES, FINETUNE_LAUNCHER); torchrun takes the number as "
            "`--nproc-per-node`, and accelerate as `num_processes`, which it "
            "ignores without `--multi_gpu` or a configuration file that says how.",
        )


def validate_files(layout: Layout, job: JobRow) -> None:
    """Read the files of a job and look over its model's folder; models of the hub are looked at when loaded.

    Raises TrainingError for the first example that the method cannot take, or for the model.
    """
    _validate_file(layout, job, job.training_file, "training_file")
    if job.validation_file is not None:
        _validate_file(layout, job, job.validation_file, "validation_file")
    # A model that was tuned here was whole when it was published.
    if job.base_path is None and Path(job.base_model).is_absolute():
        check_base_model(Path(job.base_model), job.model)


def training_job(layout: Layout, job: JobRow) -> TrainingJob:
    """Put a job into the words of training."""
    return TrainingJob(
        base_model=job.base_model,
        base_model_path=None if job.base_path is None else Path(job.base_path),
        training_file=layout.file(job.training_file),
        validation_file=None if job.validation_file is None else layout.file(job.validation_file),
        method=job.method,
        grade=None if job.grader is None else _grade(job.grader),
        hyperparameters=Hyperparameters(**_only(Hyperparameters, job.hyperparameters)),
        options=TrainingOptions(**_only(TrainingOptions, job.hyperparameters)),
        seed=job.seed,
        output_dir=layout.training(job.id),
        allow_network=job.allow_network,
    )


def failure_of(error: Exception, log: str) -> Failure:
    """Put what went wrong into words; where the log can say more, it gets the traceback and is named."""
    if isinstance(error, TrainingError) and error.code in FILE_NAMES:
        message = f"The job failed due to an invalid {FILE_NAMES[error.code]}. {error.message}"
        return Failure(code=error.code, message=message, param=error.param)
    if isinstance(error, TrainingError) and error.__cause__ is None:
        return Failure(code=error.code, message=error.message, param=error.param)
    logger.error("the job failed", exc_info=error)
    code, message, param = "server_error", f"{type(error).__name__}: {error}.", None
    if isinstance(error, TrainingError):
        code, message, param = error.code, error.message, error.param
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        code, message = "disk_full", "The disk is full; free some space and run the job again."
    elif isinstance(error, OSError):
        message = f"The job failed due to an error of the system: {error}."
    else:
        message = f"The job failed due to an internal error: {message}"
    return Failure(code=code, message=f"{message} Its log: {log}", param=param)


def _only(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _validate_file(layout: Layout, job: JobRow, file_id: str, purpose: FilePurpose) -> None:
    n_examples = len(READERS[job.method](layout.file(file_id), purpose))
    # Ten training examples, as the hosted service asks; one validation example is enough to measure with.
    if purpose == "training_file" and n_examples < MIN_EXAMPLES:
        found = f"Training file has {n_examples} example(s)"
        message = f"{found}, but must have at least {MIN_EXAMPLES} examples"
        raise TrainingError("invalid_n_examples", message, purpose)


def _grade(value: Mapping[str, Any]) -> Grade:
    """The reward of a job's grader; the service took it only where what it does is allowed."""
    grader, means = parse_grader(value), Means(allow_code=True)

    def reward(answer: str, item: Mapping[str, Any]) -> float:
        graded = grade(grader, Sample(output_text=answer), item, means)
        if graded.failure is not None:
            raise TrainingError("invalid_grader", f"The grader failed: {graded.details}.", GRADER)
        return graded.score

    return reward
