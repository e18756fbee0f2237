"""Logs a recipe's locked job in an experiment tracker."""

from contextlib import closing
from pathlib import Path
from typing import Literal

from runner.errors import RunnerError
from runner.execution.curves import curves_of
from runner.lock.lockfile import read_lockfile
from runner.operator import Operator
from runner.providers.hosts import find_host
from runner.providers.statuses import TERMINAL
from runner.recipe.load import LoadedRecipe
from runner.review.git import commit_with
from runner.running.following import no_job
from runner.running.state import provider_of
from runner.sharing import to_mlflow, to_tensorboard, to_wandb
from runner.sharing.record import JobRecord, job_record

Tracker = Literal["mlflow", "tensorboard", "wandb"]


def record_of(loaded: LoadedRecipe, operator: Operator) -> JobRecord:
    """What is told of a recipe's locked job; its curves are asked of its provider.

    Raises RunnerError where there is no job or it goes on, ProviderError where nobody can be asked.
    """
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    if run is None or run.job is None:
        raise no_job(loaded)
    if run.job.status not in TERMINAL:
        raise RunnerError(
            f"job {run.job.id} is still {run.job.status}. {loaded.command('watch')} follows it."
        )
    host = find_host(run.job.provider, operator.user_hosts, loaded.project)
    with closing(provider_of(host, loaded.project, operator)) as provider:
        job = provider.retrieve_job(run.job.id)
        curves = curves_of(provider, job.id)
    lock = loaded.lock_path
    commit = commit_with(loaded.folder, lock.name, lock.read_bytes(), operator.environment)
    return job_record(loaded, run, job, curves, commit)


def track(
    loaded: LoadedRecipe, tracker: Tracker, operator: Operator, project: str | None, folder: Path | None
) -> str:
    """Log a job where the operator says; where it is to be found. Logged again, it stays one run.

    Weights & Biases and MLflow take their address and keys from their own environment variables.
    """
    record = record_of(loaded, operator)
    named = project or loaded.recipe.name
    if tracker == "tensorboard":
        return to_tensorboard.write(record, (folder or Path("tensorboard")) / named)
    if tracker == "wandb":
        mode = operator.environment.get("WANDB_MODE", "online")
        return to_wandb.log(record, folder or Path(), named, mode)
    uri = operator.environment.get("MLFLOW_TRACKING_URI")
    return to_mlflow.log(record, uri or f"sqlite:///{folder or Path()}/mlflow.db", named)
