"""What goes wrong with a job, in words."""

import errno

import pytest

from runner.local.task import Failure, failure_of
from runner.local.training.job import TrainingError

LOG = ".finetune/local/jobs/ftjob-1/worker.log"


def caused(error: TrainingError) -> TrainingError:
    """An error with more behind it than its sentence."""
    error.__cause__ = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            TrainingError("invalid_training_file", "Invalid file format. Example 3.", "training_file"),
            Failure(
                code="invalid_training_file",
                message="The job failed due to an invalid training file. Invalid file format. Example 3.",
                param="training_file",
            ),
        ),
        (
            caused(TrainingError("out_of_memory", "There is not enough memory.", "hyperparameters")),
            Failure(
                code="out_of_memory",
                message=f"There is not enough memory. Its log: {LOG}",
                param="hyperparameters",
            ),
        ),
        (
            TrainingError("model_not_found", "There is no such model.", "model"),
            Failure(code="model_not_found", message="There is no such model.", param="model"),
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            Failure(
                code="disk_full",
                message=f"The disk is full; free some space and run the job again. Its log: {LOG}",
            ),
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            Failure(
                code="server_error",
                message="The job failed due to an error of the system: [Errno 13] Permission denied. "
                f"Its log: {LOG}",
            ),
        ),
        (
            KeyError("surprise"),
            Failure(
                code="server_error",
                message=f"The job failed due to an internal error: KeyError: 'surprise'. Its log: {LOG}",
            ),
        ),
    ],
)
def test_a_failure_says_what_to_do_and_where_to_look(error: Exception, expected: Failure) -> None:
    """The log is named where it has more to say."""
    assert expected == failure_of(error, LOG)
