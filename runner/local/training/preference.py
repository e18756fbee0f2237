"""Preference tuning: makes one of two answers the likelier one, with TRL's DPOTrainer.

The loss is that of DPO (https://arxiv.org/abs/2305.18290) with a supervised term on the preferred answers.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from trl import DPOTrainer

from runner.local.training.examples import TokenisedExample, TokenisedPreference, tokenise_preferences
from runner.local.training.job import Reporter, ResolvedHyperparameters, TrainingJob
from runner.local.training.models import LoadedModel, load_model
from runner.local.training.progress import Validation, stop_if_cancelled
from runner.local.training.trainer_config import preference_config, tuning_of
from runner.local.training.training_file import FilePurpose, read_preferences


def read_examples(
    path: Path, loaded: LoadedModel, name: str, purpose: FilePurpose
) -> list[TokenisedPreference]:
    """Read preferences and tokenise them. Raises TrainingError for the first that the model cannot take."""
    return tokenise_preferences(loaded, name, read_preferences(path, purpose), purpose)


class _TokenisedDPOTrainer(DPOTrainer):  # type: ignore[misc] # it would render the conversations itself, without weights
    """A DPOTrainer whose examples are tokenised already."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def make_trainer(
    job: TrainingJob,
    loaded: LoadedModel,
    hyperparameters: ResolvedHyperparameters,
    examples: Sequence[TokenisedPreference],
    adapter: Any,
) -> Any:
    """Set up a DPOTrainer; the model as it is now is what it is compared with."""
    reference = None
    # An adapter is compared with the model below it, or with a copy of itself: the trainer sees to that.
    if adapter is None and not loaded.is_adapter:
        reference = load_model(
            job.base_model, job.base_model_path, allow_network=job.allow_network, form="full"
        ).model
    return _TokenisedDPOTrainer(
        model=loaded.model,
        ref_model=reference,
        args=preference_config(job, hyperparameters, len(examples), tuning_of(loaded, adapter)),
        train_dataset=Dataset.from_list([_columns(example) for example in examples]),
        data_collator=_Collator(loaded.tokenizer.pad_token_id),
        processing_class=loaded.tokenizer,
        peft_config=adapter,
    )


def validate(trainer: Any, examples: Sequence[TokenisedPreference], reporter: Reporter) -> Validation:
    """Score the validation file one preference at a time, so that padding and batches change nothing."""
    trainer.model.eval()
    losses = []
    for example in examples:
        stop_if_cancelled(reporter)
        batch = trainer._prepare_inputs(trainer.data_collator([_columns(example)]))
        with torch.no_grad():
            losses.append(float(trainer.compute_loss(trainer.model, batch)))
    # The trainer keeps what it measures until it logs.
    measured = trainer._metrics["eval"]
    accuracy, reward_accuracy, reward_margin = (
        fmean(measured[name]) for name in ("mean_token_accuracy", "rewards/accuracies", "rewards/margins")
    )
    measured.clear()
    trainer.model.train()
    return Validation(
        loss=fmean(losses),
        mean_token_accuracy=accuracy,
        reward_accuracy=reward_accuracy,
        reward_margin=reward_margin,
    )


class _Collator:
    """Pads a batch as DPOTrainer expects it: all preferred answers, then all others."""

    def __init__(self, pad_token_id: int) -> None:
        self._pad_token_id = pad_token_id

    def __call__(self, batch: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        """Make `input_ids`, `attention_mask` and `completion_mask`, each (2B, T)."""
        rows = [
            (item[f"{name}_ids"], item[f"{name}_mask"]) for name in ("chosen", "rejected") for item in batch
        ]
        ids = [torch.tensor(row) for row, _ in rows]
        return {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self._pad_token_id),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            "completion_mask": pad_sequence([torch.tensor(mask) for _, mask in rows], batch_first=True),
        }


def _columns(example: TokenisedPreference) -> dict[str, list[int]]:
    return {**_side("chosen", example.preferred), **_side("rejected", example.non_preferred)}


def _side(name: str, example: TokenisedExample) -> dict[str, list[int]]:
    return {f"{name}_ids": example.ids, f"{name}_mask": [int(trained) for trained in example.mask]}
