"""The last step of a job: its model appears whole, or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.local.layout import Layout
from runner.local.publish import publish
from runner.local.rows import JobRow
from runner.local.store import Store
from runner.local.training.job import Checkpoint, CheckpointMetrics, ResolvedHyperparameters, TrainingResult

JOB = JobRow(
    id="ftjob-1",
    created_at=1,
    model="tiny-1",
    base_model="tiny-1",
    fine_tuned_model="ft:tiny-1:local::1",
    status="running",
    training_file="file-1",
    seed=1,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A service's folder with a finished training."""
    made = Layout(tmp_path / ".finetune")
    for name in ("model", "checkpoint-8"):
        folder = made.training(JOB.id) / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_text(name)
    (made.training(JOB.id) / "results.csv").write_text("step\n1\n")
    return made


@pytest.fixture
def store(layout: Layout) -> Iterator[Store]:
    """The state with one running job."""
    opened = Store(layout.database)
    opened.add(JOB)
    yield opened
    opened.close()


def trained(layout: Layout) -> TrainingResult:
    """What training hands over."""
    folder = layout.training(JOB.id)
    metrics = CheckpointMetrics(step=8, train_loss=0.5, train_mean_token_accuracy=1.0)
    return TrainingResult(
        hyperparameters=ResolvedHyperparameters(n_epochs=1, batch_size=1, learning_rate_multiplier=1.0),
        trained_tokens=10,
        weights_sha256="0" * 64,
        weights_platform="fake",
        model_dir=folder / "model",
        checkpoints=(Checkpoint(step=8, epoch=1, path=folder / "checkpoint-8", metrics=metrics),),
        results_csv=folder / "results.csv",
    )


def contents(folder: Path) -> list[str]:
    """Every file under a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_model_is_published_with_its_checkpoints(store: Store, layout: Layout) -> None:
    """The training folder is gone, the rows point at the new places."""
    assert publish(store, layout, JOB, trained(layout), 5)

    assert contents(layout.model(JOB.id)) == [
        "ckpt-step-8/model.safetensors",
        "manifest.json",
        "model.safetensors",
    ]
    assert [(row.id, row.path) for row in store.models()] == [
        ("ft:tiny-1:local::1", "models/ftjob-1"),
        ("ft:tiny-1:local::1:ckpt-step-8", "models/ftjob-1/ckpt-step-8"),
    ]
    assert not layout.training(JOB.id).exists()


def test_a_job_cancelled_at_the_last_moment_leaves_no_model(store: Store, layout: Layout) -> None:
    """The cancellation came first and stays."""
    store.move_job(JOB.id, "cancelled")

    assert not publish(store, layout, JOB, trained(layout), 5)
    assert not layout.model(JOB.id).exists()
    assert contents(layout.files) == []
    assert (store.models(), store.files(now=1), store.events(JOB.id, limit=9)) == ([], [], [])


def test_what_a_dead_worker_left_is_replaced(store: Store, layout: Layout) -> None:
    """No file of the first attempt stays in the model."""
    layout.model(JOB.id).mkdir(parents=True)
    (layout.model(JOB.id) / "leftover").touch()

    assert publish(store, layout, JOB, trained(layout), 5)
    assert not (layout.model(JOB.id) / "leftover").exists()


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("n_moved", [0, 1, 2])
def test_a_kill_while_checkpoints_move_leaves_whole_ones(
    store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch, n_moved: int
) -> None:
    """What is left can be resumed from, and leads to the same checkpoints again."""
    folder = layout.training(JOB.id)
    for step in (8, 16, 24):
        (folder / f"checkpoint-{step}").mkdir(exist_ok=True)
        (folder / f"checkpoint-{step}" / "optimizer.pt").touch()
    result = trained(layout)
    metrics = CheckpointMetrics(step=8, train_loss=0.5)
    checkpoints = tuple(
        Checkpoint(step=step, epoch=step // 8, path=folder / f"checkpoint-{step}", metrics=metrics)
        for step in (8, 16, 24)
    )
    rename, moves = Path.rename, iter(range(10))

    def cut_short(path: Path, target: Path) -> Path:
        # The model itself moves first.
        if next(moves) > n_moved:
            raise KilledError
        return rename(path, target)

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Path, "rename", cut_short)
        publish(store, layout, JOB, replace(result, checkpoints=checkpoints), 5)

    left = {path.parent.name for path in folder.glob("*/optimizer.pt")}
    assert left == {f"checkpoint-{step}" for step in (8, 16, 24)[: 3 - n_moved]}
