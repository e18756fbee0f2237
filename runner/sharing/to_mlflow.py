"""Logs a job as a run of MLflow."""

import logging
from collections.abc import Iterator
from typing import Any

from runner.errors import MissingExtraError, RunnerError
from runner.sharing.record import JobRecord

JOB_TAG = "finetune.job"
# What one call takes: https://mlflow.org/docs/latest/rest-api.html#log-batch (2026-11)
BATCH_METRICS = 1000
BATCH_PARAMS = 100
STATUS = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}


def log(record: JobRecord, tracking_uri: str, experiment: str) -> str:
    """Log a job once: a run that has its ID is completed, not repeated; which run it is.

    Raises MissingExtraError, and RunnerError where the store cannot be used.
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise MissingExtraError(
            f"MLflow's runs need the extra `mlflow` ({error.name} is missing): "
            "pip install 'finetune-runner[mlflow]'"
        ) from error
    # It tells of every table that it makes.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    try:
        client = MlflowClient(tracking_uri=tracking_uri)
        run_id = _run_of(client, record, experiment)
        _log_all(client, run_id, record)
    except MlflowException as error:
        raise RunnerError(f"MLflow at {tracking_uri} says: {error.message}") from error
    return f"run {run_id} of experiment {experiment} at {tracking_uri}"


def _run_of(client: Any, record: JobRecord, experiment: str) -> str:
    found = client.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found else client.create_experiment(experiment)
    runs = client.search_runs([experiment_id], filter_string=f"tags.`{JOB_TAG}` = '{record.job_id}'")
    if runs:
        return str(runs[0].info.run_id)
    tags = {JOB_TAG: record.job_id}
    start_ms = record.started_at * 1000
    run = client.create_run(experiment_id, tags=tags, run_name=record.name, start_time=start_ms)
    return str(run.info.run_id)


def _log_all(client: Any, run_id: str, record: JobRecord) -> None:
    from mlflow.entities import Metric, Param, RunTag

    logged = client.get_run(run_id).data.params
    params = [
        Param(name, str(value)) for name, value in record.settings.items() if logged.get(name) != str(value)
    ]
    for some in _parts(params, BATCH_PARAMS):
        client.log_batch(run_id, params=some)
    metrics = [
        Metric(name, point.value, point.at * 1000, point.step)
        for name, points in record.curves.items()
        for point in points[_n_logged(client, run_id, name) :]
    ]
    metrics += [
        Metric(f"evaluation/{name}", score, record.ended_at * 1000, 0)
        for name, score in record.scores.items()
        if not _n_logged(client, run_id, f"evaluation/{name}")
    ]
    for some in _parts(metrics, BATCH_METRICS):
        client.log_batch(run_id, metrics=some)
    client.log_batch(run_id, tags=[RunTag(f"finetune.{name}", value) for name, value in record.tags.items()])
    for path in record.files:
        client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, STATUS.get(record.status, "RUNNING"), record.ended_at * 1000)


def _n_logged(client: Any, run_id: str, name: str) -> int:
    return len(client.get_metric_history(run_id, name))


def _parts(values: list[Any], size: int) -> Iterator[list[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
