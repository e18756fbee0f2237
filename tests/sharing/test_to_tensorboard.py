"""TensorBoard reads what was written."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import MissingExtraError
from runner.sharing.record import JobRecord
from runner.sharing.to_tensorboard import write


def test_tensorboard_finds_curves_and_scores(record: JobRecord, tmp_path: Path) -> None:
    reason = "tensorboard is not installed"
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=reason)
    write(replace(record, curves={}), tmp_path / "logs")
    where = write(record, tmp_path / "logs")
    found = reading.EventAccumulator(where).Reload()

    assert str(tmp_path / "logs" / "ftjob-1") == where
    assert ["ftjob-1"] == [path.name for path in (tmp_path / "logs").iterdir()]
    assert [(1, 1_010.0, 1.5), (2, 1_020.0, 0.25)] == [
        (item.step, item.wall_time, item.value) for item in found.Scalars("train_loss")
    ]
    assert [0.75] == [item.value for item in found.Scalars("evaluation/tuned/exact")]


def test_the_extra_is_named(record: JobRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(MissingExtraError) as caught:
        write(record, tmp_path)

    assert str(caught.value).endswith("pip install 'finetune-runner[tensorboard]'")
