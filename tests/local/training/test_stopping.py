"""When training ends early, and which checkpoint it leaves: pytest tests/local/training/test_stopping.py"""

import pytest

from runner.local.training.job import CheckpointMetrics, TrainingOptions
from runner.local.training.stopping import best_checkpoint, ends_early, epochs_without_gain, measured


def rows(*losses: float | None) -> list[CheckpointMetrics]:
    """One step for each loss; a step inside an epoch has none."""
    return [
        CheckpointMetrics(step=step, train_loss=1.0, valid_loss=loss)
        for step, loss in enumerate(losses, start=1)
    ]


def rewards(*means: float) -> list[CheckpointMetrics]:
    return [
        CheckpointMetrics(step=step, train_loss=1.0, valid_mean_reward=mean)
        for step, mean in enumerate(means, start=1)
    ]


@pytest.mark.parametrize(
    ("measurements", "step"),
    [
        (rows(None, 3.0, None, 2.0, None, 2.5), 4),
        (rows(2.0, 2.0, 2.0), 1),
        (rewards(0.1, 0.9, 0.5), 2),
    ],
)
def test_the_best_epoch_is_the_first_of_the_smallest_loss(
    measurements: list[CheckpointMetrics], step: int
) -> None:
    """Or of the largest reward."""
    best = best_checkpoint(measurements)

    assert best is not None
    assert step == best.step


def test_without_validation_there_is_no_best_epoch() -> None:
    assert best_checkpoint(rows(None, None)) is None


@pytest.mark.parametrize(
    ("losses", "threshold", "expected"),
    [
        ((), 0.0, 0),
        ((3.0, 2.0, 1.0), 0.0, 0),
        ((3.0, 2.0, 2.0, 2.5), 0.0, 2),
        ((3.0, 2.0, 2.5, 1.9), 0.0, 0),
        # A loss that creeps down counts once it has fallen by enough in all.
        ((3.0, 2.95, 2.9), 0.15, 2),
        ((3.0, 2.95, 2.8), 0.15, 0),
    ],
)
def test_epochs_without_gain_are_counted(losses: tuple[float, ...], threshold: float, expected: int) -> None:
    assert expected == epochs_without_gain(rows(*losses), threshold)


def test_patience_ends_training() -> None:
    """Only where it was asked for."""
    measurements = rows(3.0, 2.0, 2.1, 2.2)

    assert ends_early(measurements, TrainingOptions(early_stopping_patience=2))
    assert not ends_early(measurements, TrainingOptions(early_stopping_patience=3))
    assert not ends_early(measurements, TrainingOptions())


def test_early_stopping_chooses_the_best_unless_told_otherwise() -> None:
    assert not TrainingOptions().chooses_best
    assert TrainingOptions(early_stopping_patience=1).chooses_best
    assert TrainingOptions(load_best_model_at_end=True).chooses_best
    assert not TrainingOptions(early_stopping_patience=1, load_best_model_at_end=False).chooses_best


def test_what_was_measured_is_told() -> None:
    assert "a validation loss of 2.0000" == measured(rows(2.0)[0])
    assert "a mean reward of 0.5000 on the validation file" == measured(rewards(0.5)[0])
