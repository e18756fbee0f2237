"""Trains a model on example conversations with TRL's SFTTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PrinterCallback
from trl import SFTTrainer

from runner.canonical import sha256_file
from runner.local.training.deprecations import library_deprecations_ignored
from runner.local.training.environment import TINY_1_THREADS
from runner.local.training.examples import TokenisedExample, tokenise_examples
from runner.local.training.failures import machine_failure
from runner.local.training.hyperparameters import resolve_hyperparameters
from runner.local.training.job import (
    Reporter,
    ResolvedHyperparameters,
    TrainingCancelled,
    TrainingError,
    TrainingJob,
    TrainingResult,
)
from runner.local.training.loss import answer_loss
from runner.local.training.models import LoadedModel, device_for, load_model
from runner.local.training.progress import (
    ProgressCallback,
    Validation,
    read_checkpoints,
    remove_unfinished_checkpoints,
    stop_if_cancelled,
)
from runner.local.training.results import weights_platform, write_results
from runner.local.training.tiny_model import TINY_1
from runner.local.training.trainer_config import adapter_config, checkpoints_dir, n_steps, trainer_config
from runner.local.training.training_file import FilePurpose, read_conversations


def train(job: TrainingJob, reporter: Reporter) -> TrainingResult:
    """Run a job to its end and leave the model in `job.output_dir / "model"`.

    The folder belongs to the job: when it holds a complete checkpoint, training goes on from there, with the
    same weights in the end. tiny-1 is tuned in full, every other model by LoRA. The same job gives the same
    weights on an equal platform. Raises TrainingError and TrainingCancelled.
    """
    try:
        with library_deprecations_ignored():
            return _train(job, reporter)
    except (TrainingError, TrainingCancelled):
        raise
    except Exception as error:
        failure = machine_failure(error)
        if failure is None:
            raise
        raise failure from error


def _train(job: TrainingJob, reporter: Reporter) -> TrainingResult:
    stop_if_cancelled(reporter)
    _make_deterministic(job)
    loaded = load_model(
        job.base_model, job.base_model_path, allow_network=job.allow_network, is_trainable=True
    )
    examples = _read_examples(job, loaded, "training_file")
    validation_examples = _read_examples(job, loaded, "validation_file")
    hyperparameters = resolve_hyperparameters(job.hyperparameters, len(examples))
    reporter.resolved(hyperparameters, n_steps(hyperparameters, len(examples)), len(examples))
    trainer = _make_trainer(job, loaded, hyperparameters, examples)

    def validate() -> Validation | None:
        return _validate(trainer, validation_examples, reporter)

    results_csv = job.output_dir / "results.csv"
    progress = ProgressCallback(reporter, results_csv, validate)
    trainer.add_callback(progress)
    trainer.train(resume_from_checkpoint=_resume(job, reporter, progress))
    write_results(results_csv, progress.rows)
    model_dir, weights = _save_model(job, trainer.model, loaded.tokenizer)
    return TrainingResult(
        hyperparameters=hyperparameters,
        trained_tokens=sum(len(example.ids) for example in examples) * hyperparameters.n_epochs,
        weights_sha256=sha256_file(weights),
        weights_platform=weights_platform(loaded.device),
        model_dir=model_dir,
        checkpoints=tuple(read_checkpoints(checkpoints_dir(job))),
        results_csv=results_csv,
    )


def _make_deterministic(job: TrainingJob) -> None:
    # Some CUDA kernels have no deterministic form; a warning is better than a job that cannot run at all.
    on_gpu = device_for(job.base_model).type == "cuda"
    torch.use_deterministic_algorithms(mode=True, warn_only=on_gpu)
    # Otherwise torch fills every new tensor with NaN first.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if job.base_model == TINY_1:
        torch.set_num_threads(TINY_1_THREADS)


def _read_examples(job: TrainingJob, loaded: LoadedModel, purpose: FilePurpose) -> list[TokenisedExample]:
    path = job.training_file if purpose == "training_file" else job.validation_file
    if path is None:
        return []
    return tokenise_examples(loaded, job.base_model, read_conversations(path, purpose), purpose)


class _AnswerLossTrainer(SFTTrainer):  # type: ignore[misc] # TRL's own advice for another way to compute the loss
    """An SFTTrainer without the fused head, which is made for GPUs."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the signature is the trainer's
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Average the loss over the answer tokens of the whole optimiser step."""
        scored = answer_loss(model, inputs)
        self._metrics["train"]["mean_token_accuracy"].append(scored.n_correct / max(scored.n_tokens, 1))
        return scored.loss_sum / (scored.n_tokens if num_items_in_batch is None else num_items_in_batch)


def _make_trainer(
    job: TrainingJob,
    loaded: LoadedModel,
    hyperparameters: ResolvedHyperparameters,
    examples: Sequence[TokenisedExample],
) -> Any:
    on_gpu = loaded.device.type == "cuda"
    trainer_class = SFTTrainer if on_gpu else _AnswerLossTrainer
    needs_adapter = job.base_model != TINY_1 and not loaded.is_adapter
    columns = {
        "input_ids": [example.ids for example in examples],
        "labels": [example.labels for example in examples],
        "length": [len(example.ids) for example in examples],
    }
    trainer = trainer_class(
        model=loaded.model,
        args=trainer_config(job, hyperparameters, len(examples), on_gpu=on_gpu),
        train_dataset=Dataset.from_dict(columns),
        processing_class=loaded.tokenizer,
        peft_config=adapter_config() if needs_adapter else None,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _resume(job: TrainingJob, reporter: Reporter, progress: ProgressCallback) -> str | None:
    """Prepare to go on after the last complete checkpoint; return its folder, None to start afresh."""
    # The trainer would count them among the checkpoints to keep.
    remove_unfinished_checkpoints(checkpoints_dir(job))
    finished = read_checkpoints(checkpoints_dir(job))
    if not finished:
        return None
    progress.resume_from(finished[-1].step)
    reporter.event("info", f"Resuming after step {finished[-1].step}")
    return str(finished[-1].path)


def _validate(trainer: Any, examples: Sequence[TokenisedExample], reporter: Reporter) -> Validation | None:
    """Score the validation file one example at a time, so that padding and batches change nothing."""
    if not examples:
        return None
    model, loss_sum, n_correct, n_tokens = trainer.model, 0.0, 0, 0
    model.eval()
    for example in examples:
        stop_if_cancelled(reporter)
        input_ids = torch.tensor([example.ids], device=model.device)  # (1, T)
        labels = torch.tensor([example.labels], device=model.device)
        batch = {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids), "labels": labels}
        with torch.no_grad():
            scored = answer_loss(model, batch)
        loss_sum += float(scored.loss_sum)
        n_correct += scored.n_correct
        n_tokens += scored.n_tokens
    model.train()
    return Validation(loss=loss_sum / n_tokens, mean_token_accuracy=n_correct / n_tokens)


def _save_model(job: TrainingJob, model: Any, tokenizer: Any) -> tuple[Path, Path]:
    """Save the weights, or the adapter alone, with the tokenizer; return the folder and its weights file."""
    folder = job.output_dir / "model"
    is_adapter = isinstance(model, PeftModel)
    if is_adapter:
        # peft would write where this machine keeps the base model.
        model.peft_config["default"].base_model_name_or_path = job.base_model
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder, folder / ("adapter_model.safetensors" if is_adapter else "model.safetensors")
