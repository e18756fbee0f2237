"""Several processes that train together: pytest tests/local/training/test_processes.py"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")

import torch

from runner.local.training.job import TrainingError
from runner.local.training.results import weights_platform
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

ROOT = Path(__file__).parents[3]
TEN = [question_and_answer(f"{number}번 질문", f"답은 {number * 37 % 101}입니다.") for number in range(10)]
# What every process runs: the job, with a reporter for the first one alone.
PROCESS = """
import json, os, sys
from pathlib import Path
from runner.local.training.environment import prepare_environment
prepare_environment(allow_network=False, threads=1)
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job
from runner.local.training.job import TrainingCancelled
folder, training_file, base_model, cancel_at = sys.argv[1:]
first = os.environ["RANK"] == "0"
reporter = RecordingReporter(cancel_at=int(cancel_at) or None) if first else None
try:
    data = Path(training_file)
    values = {"base_model": base_model, "validation_file": data, "n_epochs": 3, "batch_size": 4}
    result = train(make_job(Path(folder), data, **values), reporter)
except TrainingCancelled:
    sys.stdout.write('"cancelled"\\n')
else:
    if first:
        names = ("train_loss", "train_mean_token_accuracy", "valid_loss")
        steps = [[getattr(step, name) for name in names] for step in reporter.steps]
        print(json.dumps([steps, result.weights_platform, result.weights_sha256]))
"""


def together(folder: Path, training_file: Path, base_model: str, cancel_at: int = 0) -> list[object]:
    """Run the job in two processes and collect what they print."""
    script = folder.parent / "process.py"
    script.write_text(PROCESS, "utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(script), str(folder), str(training_file), base_model, str(cancel_at)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line[:1] in ("[", '"')]


@pytest.mark.long
@pytest.mark.parametrize("base", ["tiny-1", "chat model"])
def test_two_processes_lose_as_much_as_one(tmp_path: Path, chat_model: Path, base: str) -> None:
    """At every step, the short last one of an epoch included, within rounding."""
    base_model = "tiny-1" if base == "tiny-1" else str(chat_model)
    training_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    reporter = RecordingReporter()
    values = {"base_model": base_model, "validation_file": training_file, "n_epochs": 3, "batch_size": 4}
    alone = train(make_job(tmp_path / "alone", training_file, **values), reporter)
    ((steps, platform, _),) = together(tmp_path / "together", training_file, base_model)
    expected = [[step.train_loss, step.train_mean_token_accuracy, step.valid_loss] for step in reporter.steps]

    assert 9 == len(steps)
    for one, two in zip(expected, steps, strict=True):
        assert pytest.approx(one, abs=1e-3) == two
    assert f"{alone.weights_platform}-2-processes" == platform


@pytest.mark.long
def test_both_stop_when_the_job_is_cancelled_and_go_on_together(tmp_path: Path) -> None:
    """From the last checkpoint, with the weights of an uninterrupted run."""
    training_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    ((_, _, whole),) = together(tmp_path / "whole", training_file, "tiny-1")
    stopped = together(tmp_path / "resumed", training_file, "tiny-1", cancel_at=5)
    ((steps, _, resumed),) = together(tmp_path / "resumed", training_file, "tiny-1")

    assert ["cancelled", "cancelled"] == stopped
    assert 6 == len(steps)
    assert whole == resumed


def test_a_batch_that_cannot_be_dealt_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.local.training.trainer_config.world_size", lambda: 2)
    job = make_job(tmp_path, write_jsonl(tmp_path / "t", TEN), batch_size=5)
    with pytest.raises(TrainingError) as caught:
        train(job, RecordingReporter())

    assert "A batch_size of 5 cannot be dealt to 2 processes; use a multiple." == caught.value.message


def test_what_divides_the_weights_is_part_of_the_platform() -> None:
    """Hashes are compared where the same sums were made in the same order."""
    cpu = torch.device("cpu")
    alone = weights_platform(cpu)

    assert f"{alone}-4-processes" == weights_platform(cpu, 4)
    assert f"{alone}-4-processes-fsdp" == weights_platform(cpu, 4, "fsdp")
