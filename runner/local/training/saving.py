"""Writes the model that a job ends with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

from peft import PeftModel

from runner.canonical import sha256_file, sha256_of
from runner.local.training.job import CheckpointMetrics, Reporter, TrainingJob
from runner.local.training.progress import read_checkpoints
from runner.local.training.stopping import best_checkpoint, measured
from runner.local.training.trainer_config import checkpoints_dir

TRAINED_ADAPTER = "default"


def save_model(job: TrainingJob, model: Any, tokenizer: Any, weights: Mapping[str, Any] | None) -> None:
    """Save the weights, or the adapter alone, with the tokenizer; the model itself may have but a part."""
    folder = str(job.output_dir / "model")
    tokenizer.save_pretrained(folder)
    if isinstance(model, PeftModel):
        # peft would write where this machine keeps the base model.
        model.peft_config[TRAINED_ADAPTER].base_model_name_or_path = job.base_model
        model.save_pretrained(folder, selected_adapters=[TRAINED_ADAPTER], state_dict=weights)
    else:
        model.save_pretrained(folder, state_dict=weights)


def weights_sha256(model_dir: Path) -> str:
    """The hash of the adapter or, without one, of the weights: of their file, or of the list of several.

    Large models are written in parts. Their order is that of their names, which number them.
    """
    adapter = model_dir / "adapter_model.safetensors"
    if adapter.is_file():
        return sha256_file(adapter)
    files = sorted(model_dir.glob("model*.safetensors"))
    if not files:
        raise AssertionError(f"BUG: no weights in {model_dir}")
    hashes = {file.name: sha256_file(file) for file in files}
    return sha256_of(hashes) if len(files) > 1 else hashes[files[0].name]


def choose_checkpoint(
    job: TrainingJob, reporter: Reporter, trainer: Any, rows: Sequence[CheckpointMetrics]
) -> None:
    """Make the model from the best checkpoint where the options say so, else from the last one."""
    checkpoints = read_checkpoints(checkpoints_dir(job))
    chosen, best = checkpoints[-1], best_checkpoint(rows)
    if job.options.chooses_best and best is not None:
        chosen = next(checkpoint for checkpoint in checkpoints if checkpoint.step == best.step)
        among = "1 epoch" if checkpoints[-1].epoch == 1 else f"{checkpoints[-1].epoch} epochs"
        why = f"{measured(best)}, the best of {among}"
        reporter.event("info", f"The checkpoint of step {chosen.step} becomes the model: it has {why}")
    if chosen.step != trainer.state.global_step:
        for weights in chosen.path.glob("*.safetensors*"):
            copyfile(weights, job.output_dir / "model" / weights.name)
