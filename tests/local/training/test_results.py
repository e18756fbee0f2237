"""The result file: pytest tests/local/training/test_results.py"""

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from runner.local.training.job import CheckpointMetrics
from runner.local.training.results import read_results, weights_platform, write_results

pytestmark = pytest.mark.torch

ROWS = [
    CheckpointMetrics(step=1, train_loss=2.5, train_mean_token_accuracy=0.25),
    CheckpointMetrics(
        step=2,
        train_loss=0.1,
        train_mean_token_accuracy=1.0,
        valid_loss=3.0,
        valid_mean_token_accuracy=0.5,
        full_valid_loss=3.0,
        full_valid_mean_token_accuracy=0.5,
    ),
]
HEADER = (
    "step,train_loss,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,"
    "full_valid_loss,full_valid_mean_token_accuracy"
)


def test_columns_are_the_hosted_ones(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", ROWS)
    text = (tmp_path / "results.csv").read_text(encoding="utf-8")

    assert f"{HEADER}\n1,2.5,0.25,,,,\n2,0.1,1.0,3.0,0.5,3.0,0.5\n" == text


def test_rows_survive_writing_and_reading(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", ROWS)

    assert read_results(tmp_path / "results.csv") == ROWS


def test_platform_names_the_torch_build() -> None:
    platform = weights_platform(torch.device("cpu"))

    assert platform.startswith(f"torch-{torch.__version__}-")
