"""The last step of a job: its model appears whole, or not at all."""

from collections.abc import Iterator
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
