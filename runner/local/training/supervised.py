"""Supervised tuning: learns the answers of example conversations, with TRL's SFTTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import SFTTrainer

from runner.local.training.batches import Dealing, EpochBatches, EpochLoader
from runner.local.training.examples import TokenisedExample, tokenise_examples
from runner.local.training.job import Reporter, ResolvedHyperparameters, TrainingJob
from runner.local.training.loss import answer_loss
from runner.local.training.models import LoadedModel
from runner.local.training.processes import rank, sum_over_all, world_size
from runner.local.training.progress import Validation, stop_if_cancelled
from runner.local.training.trainer_config import supervised_config, tuning_of
from runner.local.training.training_file import FilePurpose, read_conversations


def read_examples(path: Path, loaded: LoadedModel, name: str, purpose: FilePurpose) -> list[TokenisedExample]:
    """Read conversations and tokenise them. Raises TrainingError for the first that the model cannot take."""
    return tokenise_examples(loaded, name, read_conversations(path, purpose), purpose)


class _DealtTrainer(SFTTrainer):  # type: ignore[misc] # the trainer takes its batches from a method
    """An SFTTrainer whose batches are the same for any number of processes."""

    def __init__(self, *, batches: EpochBatches, **options: Any) -> None:
        self._batches = batches
        super().__init__(**options)

    def get_train_dataloader(self) -> EpochLoader:
        """Load the batches of this process."""
        dataset = self._remove_unused_columns(self.train_dataset, description="training")
        return EpochLoader(
            dataset,
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )


class _AnswerLossTrainer(_DealtTrainer):
    """Does without TRL's fused head, which is made for GPUs."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the signature is the trainer's
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Average the loss over the answer tokens of the whole optimiser step."""
        scored = answer_loss(model, inputs)
        n_correct, n_tokens = sum_over_all(scored.n_correct, scored.n_tokens)
        self._metrics["train"]["mean_token_accuracy"].append(n_correct / max(n_tokens, 1))
        # Gradients are averaged over the processes, but each has only its own part of the sum.
        share = scored.loss_sum * world_size()
        return share / (n_tokens if num_items_in_batch is None else num_items_in_batch)


def make_trainer(
    job: TrainingJob,
    loaded: LoadedModel,
    hyperparameters: ResolvedHyperparameters,
    examples: Sequence[TokenisedExample],
    adapter: Any,
) -> Any:
    """Set up an SFTTrainer."""
    tuning = tuning_of(loaded, adapter)
    trainer_class = _DealtTrainer if tuning.on_gpu else _AnswerLossTrainer
    args = supervised_config(job, hyperparameters, len(examples), tuning)
    blank = TokenisedExample(ids=examples[0].ids[:2], mask=[False, False])
    rows = [{"input_ids": example.ids, "labels": example.labels} for example in (*examples, blank)]
    dealing = Dealing(
        batch_size=hyperparameters.batch_size,
        device_batch_size=args.per_device_train_batch_size,
        seed=job.seed,
        rank=rank(),
        n_processes=world_size(),
    )
    return trainer_class(
        batches=EpochBatches([example.n_tokens for example in examples], dealing),
        model=loaded.model,
        args=args,
        train_dataset=Dataset.from_list(rows),
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
