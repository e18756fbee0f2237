"""What a job is to training, and what goes wrong with it, in words."""

import errno
from pathlib import Path

import pytest

from runner.local.layout import Layout
from runner.local.rows import JobRow
from runner.local.task import Failure, failure_of, training_job
from runner.local.training.job import Hyperparameters, TrainingError, TrainingJob, TrainingOptions

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


def test_training_gets_what_the_job_says() -> None:
    """The method with its own values, the weights trained before, what it was given to read."""
    layout = Layout(Path("/state"))
    row = JobRow(
        id="ftjob-1",
        created_at=7,
        model="ft:tiny-1:local::1",
        base_model="tiny-1",
        base_path="/state/local/models/1",
        fine_tuned_model="ft:tiny-1:local::2",
        training_file="file-1",
        validation_file="file-2",
        method="dpo",
        hyperparameters={"n_epochs": 1, "batch_size": "auto", "beta": 0.2, "lora_r": 8},
        seed=3,
        allow_network=True,
    )

    assert training_job(layout, row) == TrainingJob(
        base_model="tiny-1",
        base_model_path=Path("/state/local/models/1"),
        training_file=layout.file("file-1"),
        validation_file=layout.file("file-2"),
        method="dpo",
        grade=None,
        hyperparameters=Hyperparameters(n_epochs=1, batch_size="auto", beta=0.2),
        options=TrainingOptions(lora_r=8),
        seed=3,
        output_dir=layout.training("ftjob-1"),
        allow_network=True,
    )
