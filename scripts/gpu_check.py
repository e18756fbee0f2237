"""Trains on a GPU what was trained on the CPU, and compares the losses of every step.

    python -m scripts.gpu_check [--epochs 5] [--json] [--rehearse]

Needs the extra `local` (and `qlora` for its row) and a CUDA device; nothing is downloaded. A Llama of
random weights is made on the spot and tuned in each way, on the CPU in float32 and on the GPU in bfloat16.
tiny-1 stays on the CPU by design: its row sees that a GPU changes nothing. With `--rehearse` both sides run
on the CPU. The status is 0 where every loss is as near as it should be, 1 where one is not, 2 without a GPU.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from runner.local.training.environment import prepare_environment
from runner.local.training.job import (
    Adapter,
    Checkpoint,
    Hyperparameters,
    Level,
    ResolvedHyperparameters,
    StepMetrics,
    TrainingJob,
    TrainingOptions,
)

ROOT = Path(__file__).resolve().parents[1]
# Relative, of a step's loss: bfloat16 keeps 8 bits, so that a product is right to 1 in 256, and the loss
# averages over tokens. Weights packed into 4 bits are another model, held against the adapter above whole
# ones; on a CPU they are 0.3 % apart.
TOLERANCES = {"tiny-1": 0.0, "lora": 0.02, "none": 0.02, "qlora": 0.05}
REFERENCES = {"tiny-1": "tiny-1", "lora": "lora", "none": "none", "qlora": "lora"}
N_EXAMPLES, BATCH_SIZE = 32, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of tuning; losses in nats per token, the difference relative to the CPU's."""

    tuning: str
    platform: str
    first_loss: float
    last_loss: float
    largest_difference: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the losses are as near as they should be."""
        return self.largest_difference <= self.tolerance


class Losses:
    """A reporter that keeps the training losses."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def event(self, level: Level, message: str) -> None:
        """Pass over the log."""

    def resolved(self, hyperparameters: ResolvedHyperparameters, total_steps: int, n_examples: int) -> None:
        """Pass over the values."""

    def metrics(self, metrics: StepMetrics) -> None:
        """Keep a loss."""
        self.values.append(metrics.train_loss)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Pass over checkpoints."""

    def is_cancelled(self) -> bool:
        """Go on."""
        return False


def main(arguments: Sequence[str]) -> int:
    """Compare, and write a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--rehearse", action="store_true", help="run both sides on the CPU")
    parser.add_argument("--one", nargs=2, metavar=("TUNING", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    prepare_environment(allow_network=False, threads=None)
    if options.one:
        sys.stdout.write(json.dumps(train_one(options.one[0], Path(options.one[1]), options.epochs)))
        return 0
    import torch

    if not options.rehearse and not torch.cuda.is_available():
        sys.stderr.write(
            "gpu_check: found no CUDA device. Run it on a machine with one, or add --rehearse.\n"
        )
        return 2
    with TemporaryDirectory() as folder:
        rows = list(compare(Path(folder), options.epochs, on_gpu=not options.rehearse))
    sys.stdout.write(
        json.dumps([asdict(row) for row in rows], indent=2) + "\n" if options.as_json else table(rows)
    )
    return 0 if all(row.holds for row in rows) else 1


def compare(folder: Path, n_epochs: int, *, on_gpu: bool) -> Iterator[Row]:
    """Tune in each way on either side, each in a process of its own."""
    make_model(folder / "base")
    for tuning in TOLERANCES:
        if tuning == "qlora" and find_spec("bitsandbytes") is None:
            continue
        expected = run(folder, REFERENCES[tuning], n_epochs, on_gpu=False)
        found = run(folder, tuning, n_epochs, on_gpu=on_gpu)
        pairs = zip(found["losses"], expected["losses"], strict=True)
        yield Row(
            tuning=tuning,
            platform=found["platform"],
            first_loss=found["losses"][0],
            last_loss=found["losses"][-1],
            largest_difference=max(abs(one - other) / other for one, other in pairs),
            tolerance=TOLERANCES[tuning],
        )


def run(folder: Path, tuning: str, n_epochs: int, *, on_gpu: bool) -> dict[str, Any]:
    """Train one job in a process that sees the GPU, or none."""
    command = [sys.executable, "-m", "scripts.gpu_check", "--epochs", str(n_epochs)]
    environment = dict(os.environ) if on_gpu else {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(  # noqa: S603 - this script
        [*command, "--one", tuning, str(folder)],
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def train_one(tuning: str, folder: Path, n_epochs: int) -> dict[str, Any]:
    """Train one job; its losses and its platform."""
    from runner.local.training.train import train

    adapter = None if tuning == "tiny-1" else cast("Adapter", tuning)
    losses = Losses()
    with TemporaryDirectory(dir=folder) as out:
        job = TrainingJob(
            base_model="tiny-1" if adapter is None else str(folder / "base"),
            training_file=write_examples(Path(out) / "train.jsonl"),
            hyperparameters=Hyperparameters(n_epochs=n_epochs, batch_size=BATCH_SIZE),
            options=TrainingOptions(adapter=adapter),
            seed=7,
            output_dir=Path(out) / "out",
        )
        result = train(job, losses)
    return {"losses": losses.values, "platform": result.weights_platform}


def write_examples(path: Path) -> Path:
    """A training file of short Korean and English answers."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{number}번 질문 / question {number}"},
                {
                    "role": "assistant",
                    "content": f"답은 {number * 37 % 101}입니다. It is {number * 53 % 97}.",
                },
            ]
        }
        for number in range(N_EXAMPLES)
    ]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def make_model(folder: Path) -> None:
    """A Llama of four million random weights with the tokenizer of tiny-1."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from runner.local.training.tiny_model import load_tiny_tokenizer

    tokenizer = load_tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=8,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [f"{'tuning':8} {'first':>8} {'last':>8} {'difference':>11} {'allowed':>8}  platform"]
    lines += [
        f"{row.tuning:8} {row.first_loss:8.4f} {row.last_loss:8.4f} {row.largest_difference:11.2%} "
        f"{row.tolerance:8.0%}  {row.platform}{'' if row.holds else '  TOO FAR'}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
