"""A finished job as trackers are told of it."""

from pathlib import Path

import pytest

from runner.execution.curves import Point
from runner.sharing.record import JobRecord


@pytest.fixture
def record(tmp_path: Path) -> JobRecord:
    """Two steps, one score, one file."""
    recipe = tmp_path / "가이드.yaml"
    recipe.write_text("version: 1\n")
    return JobRecord(
        name="recipes/가이드.yaml",
        job_id="ftjob-1",
        status="succeeded",
        started_at=1_000,
        ended_at=1_020,
        settings={"model": "tiny-1", "n_epochs": 2, "learning_rate_multiplier": 0.5},
        tags={"recipe": "recipes/가이드.yaml", "job": "ftjob-1", "commit": "c" * 40},
        curves={"train_loss": (Point(step=1, at=1_010, value=1.5), Point(step=2, at=1_020, value=0.25))},
        scores={"tuned/exact": 0.75},
        files=(recipe,),
    )
