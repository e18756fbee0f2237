"""Weights & Biases keeps the job as an offline run."""

from pathlib import Path

import pytest

from runner.sharing.record import JobRecord
from runner.sharing.to_wandb import log
from tests.local.harness import wait_for

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.long
def test_an_offline_run_has_curves_settings_and_the_recipe(
    record: JobRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    where = log(record, tmp_path / "w", "guide", "offline")
    folder = next((tmp_path / "w" / "wandb").glob("offline-run-*-ftjob-1"))
    (kept,) = folder.glob("*.wandb")
    # Its own process writes the last of it.
    wait_for(lambda: b"tuned/exact" in kept.read_bytes())
    content = kept.read_bytes()

    assert f"{folder}/files; `wandb sync` sends it" == where
    assert ["가이드.yaml"] == [path.name for path in (folder / "files").iterdir()]
    assert "version: 1\n" == (folder / "files" / "가이드.yaml").read_text()
    assert [True] * 3 == [word in content for word in (b"train_loss", b"0.25", b"n_epochs")]
    assert wandb.run is None
