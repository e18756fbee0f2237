"""Writes a job's result file and names what reproduces its weights."""

import csv
import platform
from dataclasses import asdict, fields
from io import StringIO
from pathlib import Path

import torch

from runner.canonical import write_atomically
from runner.local.training.job import CheckpointMetrics

# The hosted result file's columns, in its order; a cell stays empty where nothing was measured. What one
# method alone measures follows in columns of its own.
COLUMNS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


def write_results(path: Path, rows: list[CheckpointMetrics]) -> None:
    """Replace the result file by one row for each step."""
    measured = [asdict(row) for row in rows]
    more = [field.name for field in fields(CheckpointMetrics) if field.name not in COLUMNS]
    columns = [*COLUMNS, *(name for name in more if any(row[name] is not None for row in measured))]
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(measured)
    write_atomically(path, text.getvalue().encode("utf-8"))


def read_results(path: Path) -> list[CheckpointMetrics]:
    """Read a result file back. Raises OSError, KeyError and ValueError."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [_row(cells) for cells in csv.DictReader(stream)]


def weights_platform(device: torch.device, n_processes: int = 1, engine: str = "") -> str:
    """Name what a weights hash depends on besides the job: torch build, system, kernels, processes.

    Several processes add up in another order than one, and an engine that divides the weights in yet another.
    """
    system = f"torch-{torch.__version__}-{platform.system().lower()}-{platform.machine()}"
    kernels = torch.backends.cpu.get_cpu_capability().lower()
    if device.type == "cuda":
        kernels = torch.cuda.get_device_name(device).lower().replace(" ", "-")
    together = [f"{n_processes}-processes", engine] if n_processes > 1 else []
    return "-".join(filter(None, [system, kernels, *together]))


def _row(cells: dict[str, str]) -> CheckpointMetrics:
    measured = {name: float(cell) for name, cell in cells.items() if name != "step" and cell}
    return CheckpointMetrics(step=int(cells["step"]), **measured)
