"""What "auto" stands for: pytest tests/local/training/test_hyperparameters.py"""

import pytest

from runner.local.training.hyperparameters import default_n_epochs, resolve_hyperparameters
from runner.local.training.job import Hyperparameters, ResolvedHyperparameters


@pytest.mark.parametrize(
    ("n_examples", "n_epochs"),
    [(1, 25), (4, 25), (5, 20), (10, 10), (33, 3), (34, 3), (8333, 3), (8334, 2), (20_000, 1), (90_000, 1)],
)
def test_epochs_follow_the_cookbook(n_examples: int, n_epochs: int) -> None:
    assert n_epochs == default_n_epochs(n_examples)


def test_auto_becomes_numbers() -> None:
    assert ResolvedHyperparameters(
        n_epochs=20, batch_size=5, learning_rate_multiplier=1.0
    ) == resolve_hyperparameters(Hyperparameters(), 5)


def test_numbers_stay() -> None:
    asked = Hyperparameters(n_epochs=2, batch_size=16, learning_rate_multiplier=3)

    assert ResolvedHyperparameters(
        n_epochs=2, batch_size=16, learning_rate_multiplier=3.0
    ) == resolve_hyperparameters(asked, 5)
