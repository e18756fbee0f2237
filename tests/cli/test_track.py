"""`track` and `--webhook`: a finished job is shown elsewhere."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


def test_a_job_that_never_was(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("track", "faq.yaml", "--to", "tensorboard")

    assert (
        1,
        "error: no job was started under the profile 'default'. `finetune run faq.yaml` starts one.\n",
    ) == (outcome.code, outcome.err)


def test_curves_are_asked_of_the_provider(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = []
    monkeypatch.setattr("runner.sharing.to_mlflow.log", lambda *told: records.append(told) or "there")
    call("run", recipe, "--yes")
    hosted.losses["ftjob-1"] = 0.5
    outcome = call("track", recipe, "--to", "mlflow", "--folder", "runs")
    ((record, uri, experiment),) = records

    assert (0, "mlflow: there\n") == (outcome.code, outcome.out)
    assert ("sqlite:///runs/mlflow.db", "faq") == (uri, experiment)
    assert [(3, 0.5)] == [(point.step, point.value) for point in record.curves["train_loss"]]
    assert {
        "model": "base-1",
        "method": "supervised",
        "seed": 0,
        "n_epochs": 2,
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
        "training_examples": 12,
        "trained_tokens": 1700,
    } == record.settings
    assert ("faq.yaml", "default", "ft:base-1:org::1") == (
        record.tags["recipe"],
        record.tags["run"],
        record.tags["fine_tuned_model"],
    )


def test_an_undelivered_webhook_changes_nothing_of_the_job(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.sharing.webhook.PAUSE_S", 0.0)
    monkeypatch.setenv("FINETUNE_WEBHOOK_URL", "http://127.0.0.1:9/hook")
    outcome = call("run", recipe, "--yes")

    assert 0 == outcome.code
    assert (
        "warning: the webhook at 127.0.0.1 was not told (ConnectError); the job is as the lockfile says.\n"
        in outcome.err
    )
