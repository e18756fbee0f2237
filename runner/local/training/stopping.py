"""Decides when training ends early and which checkpoint becomes the model, from the measured epochs alone.

What an interrupted run measured is read back to the last digit, so that a resumed one decides the same.
"""

from collections.abc import Iterable, Iterator

from runner.local.training.job import CheckpointMetrics, TrainingOptions


def best_checkpoint(rows: Iterable[CheckpointMetrics]) -> CheckpointMetrics | None:
    """The epoch with the smallest validation loss, or the largest reward; the first where several are equal.

    None where nothing was validated.
    """
    return min(_validated(rows), key=_badness, default=None)


def epochs_without_gain(rows: Iterable[CheckpointMetrics], threshold: float) -> int:
    """Count the epochs since the last one that was better than all before by more than the threshold."""
    best, waited = None, 0
    for row in _validated(rows):
        if best is None or _badness(row) < best - threshold:
            best, waited = _badness(row), 0
        else:
            waited += 1
    return waited


def ends_early(rows: Iterable[CheckpointMetrics], options: TrainingOptions) -> bool:
    """Whether the patience is at its end."""
    patience = options.early_stopping_patience
    return patience is not None and epochs_without_gain(rows, options.early_stopping_threshold) >= patience


def measured(row: CheckpointMetrics) -> str:
    """What an epoch was validated by, in words."""
    if row.valid_loss is not None:
        return f"a validation loss of {row.valid_loss:.4f}"
    return f"a mean reward of {row.valid_mean_reward:.4f} on the validation file"


def _validated(rows: Iterable[CheckpointMetrics]) -> Iterator[CheckpointMetrics]:
    return (row for row in rows if row.valid_loss is not None or row.valid_mean_reward is not None)


def _badness(row: CheckpointMetrics) -> float:
    if row.valid_loss is not None:
        return row.valid_loss
    if row.valid_mean_reward is not None:
        return -row.valid_mean_reward
    raise AssertionError("BUG: an epoch without validation is compared")
