"""MLflow has the job as one run."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.sharing.record import JobRecord
from runner.sharing.to_mlflow import log

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.long
def test_logged_twice_it_stays_one_run(
    record: JobRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A store in a database puts files below the folder that it was made in.
    monkeypatch.chdir(tmp_path)
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    half = replace(record, curves={"train_loss": record.curves["train_loss"][:1]})
    first, second = log(half, uri, "guide"), log(record, uri, "guide")
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("guide").experiment_id
    (run,) = client.search_runs([experiment])

    assert first == second == f"run {run.info.run_id} of experiment guide at {uri}"
    assert ("FINISHED", 1_000_000, 1_020_000) == (run.info.status, run.info.start_time, run.info.end_time)
    assert {"model": "tiny-1", "n_epochs": "2", "learning_rate_multiplier": "0.5"} == run.data.params
    assert "ftjob-1" == run.data.tags["finetune.job"]
    assert "c" * 40 == run.data.tags["finetune.commit"]
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert [(1, 1.5, 1_010_000), (2, 0.25, 1_020_000)] == [
        (item.step, item.value, item.timestamp) for item in history
    ]
    assert [0.75] == [
        item.value for item in client.get_metric_history(run.info.run_id, "evaluation/tuned/exact")
    ]
    assert ["가이드.yaml"] == [item.path for item in client.list_artifacts(run.info.run_id)]


def test_a_store_that_cannot_be_used_is_a_sentence(record: JobRecord, tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    with pytest.raises(RunnerError) as caught:
        log(record, f"file:{tmp_path}", "guide")

    assert str(caught.value).startswith(f"MLflow at file:{tmp_path} says: ")
