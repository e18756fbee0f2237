"""Supervised tuning: learns the answers of example conversations, with TRL's SFTTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import SFTTrainer

from runner.local.training.examples import TokenisedExample, tokenise_examples
from runner.local.training.job import Reporter, ResolvedHyperparameters, TrainingJob
from runner.local.training.loss import answer_loss
from runner.local.training.models import LoadedModel
from runner.local.training.progress import Validation, stop_if_cancelled
from runner.local.training.trainer_config import supervised_config
from runner.local.training.training_file import FilePurpose, read_conversations


def read_examples(path: Path, loaded: LoadedModel, name: str, purpose: FilePurpose) -> list[TokenisedExample]:
    """Read conversations and tokenise them. Raises TrainingError for the first that the model cannot take."""
    return tokenise_examples(loaded, name, read_conversations(path, purpose), purpose)


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


def make_trainer(
    job: TrainingJob,
    loaded: LoadedModel,
    hyperparameters: ResolvedHyperparameters,
    examples: Sequence[TokenisedExample],
    adapter: Any,
) -> Any:
    """Set up an SFTTrainer."""
    on_gpu = loaded.device.type == "cuda"
    trainer_class = SFTTrainer if on_gpu else _AnswerLossTrainer
    columns = {
        "input_ids": [example.ids for example in examples],
        "labels": [example.labels for example in examples],
        "length": [len(example.ids) for example in examples],
    }
    return trainer_class(
        model=loaded.model,
        args=supervised_config(job, hyperparameters, len(examples), on_gpu=on_gpu),
        train_dataset=Dataset.from_dict(columns),
        processing_class=loaded.tokenizer,
        peft_config=adapter,
    )


def validate(trainer: Any, examples: Sequence[TokenisedExample], reporter: Reporter) -> Validation:
    """Score the validation file one example at a time, so that padding and batches change nothing."""
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
