"""The comparison of a GPU with the CPU, as far as a machine without one can see to it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.gpu_check import Row, table

ROOT = Path(__file__).parents[1]
NEAR = Row(
    tuning="lora",
    platform="torch-2.13.0-linux-x86_64-nvidia-h200",
    first_loss=7.5,
    last_loss=2.25,
    largest_difference=0.0125,
    tolerance=0.02,
)


def test_the_table_says_what_is_too_far() -> None:
    far = replace(NEAR, tuning="none", largest_difference=0.3)

    assert (NEAR.holds, far.holds) == (True, False)
    assert table([NEAR, far]) == (
        "tuning      first     last  difference  allowed  platform\n"
        "lora       7.5000   2.2500       1.25%       2%  torch-2.13.0-linux-x86_64-nvidia-h200\n"
        "none       7.5000   2.2500      30.00%       2%  torch-2.13.0-linux-x86_64-nvidia-h200  TOO FAR\n"
    )


@pytest.mark.long
@pytest.mark.torch
def test_a_rehearsal_finds_no_difference() -> None:
    """Each way of tuning runs, and the CPU agrees with itself."""
    pytest.importorskip("trl", reason="trl (the extra `local`) is not installed")
    command = [sys.executable, "-m", "scripts.gpu_check", "--rehearse", "--json", "--epochs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = {row["tuning"]: row["largest_difference"] for row in json.loads(done.stdout)}
    packed = rows.pop("qlora", 0.0)

    assert rows == {"tiny-1": 0, "lora": 0, "none": 0}
    assert packed < 0.05
