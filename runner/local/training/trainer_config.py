"""Chooses the settings of the trainer and of the adapter."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from peft import LoraConfig
from trl import DPOConfig, GRPOConfig, SFTConfig

from runner.local.training.job import ResolvedHyperparameters, TrainingError, TrainingJob, TrainingOptions
from runner.local.training.models import LoadedModel
from runner.local.training.precision import Precision, capability_of, choose_precision
from runner.local.training.processes import world_size
from runner.local.training.tiny_model import LEARNING_RATE as TINY_1_LEARNING_RATE
from runner.local.training.tiny_model import TINY_1

LORA_LEARNING_RATE = 2e-4
# A tenth, as in https://thinkingmachines.ai/blog/lora/ (2025-09).
FULL_LEARNING_RATE = 2e-5
# The learning rate rises for the first twentieth of the steps, stays, and falls to zero over the last two
# fifths. A long plateau lets tiny-1 memorise in fewer epochs than decay from the start: 60 answers of 60
# after 16 against 53.
WARMUP_FRACTION = 0.05
DECAY_FRACTION = 0.4
# Preferences move a model that can already answer: at the supervised rate it would forget how.
PREFERENCE_RATE = 0.1
# The share of the supervised loss on the preferred answers beside the preference loss, which alone keeps an
# answer likelier than the other one while both become unlikely (RPO, https://arxiv.org/abs/2404.19733).
SUPERVISED_WEIGHT = 1.0
# Reinforcement: answers sampled for each prompt, their length in tokens, and the weight of the divergence
# from the base model, which keeps what it knows.
ANSWERS_PER_PROMPT = 8
MAX_ANSWER_TOKENS = 256
REINFORCEMENT_RATE = 0.1
DIVERGENCE_WEIGHT = 0.04
MAX_GRADIENT_NORM = 1.0
KEPT_CHECKPOINTS = 3  # the hosted service keeps as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a model is tuned: where, in which numbers, and whether all of its weights are."""

    on_gpu: bool
    precision: Precision
    is_full: bool


def tuning_of(loaded: LoadedModel, adapter: Any) -> Tuning:
    """See how a loaded model is tuned; `adapter` is the one to add, None where there is none to add."""
    is_full = adapter is None and not loaded.is_adapter
    precision = choose_precision(capability_of(loaded.device), tunes_all_weights=is_full)
    return Tuning(on_gpu=loaded.device.type == "cuda", precision=precision, is_full=is_full)


def supervised_config(
    job: TrainingJob, hyperparameters: ResolvedHyperparameters, n_examples: int, tuning: Tuning
) -> Any:
    """Settle everything about a supervised run but the model and the data."""
    return SFTConfig(
        **_shared(job, hyperparameters, n_examples, tuning),
        # The examples come tokenised, with labels, and are checked against the context already.
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )


def preference_config(
    job: TrainingJob, hyperparameters: ResolvedHyperparameters, n_examples: int, tuning: Tuning
) -> Any:
    """Settle everything about a run on preferences but the models and the data."""
    shared = _shared(job, hyperparameters, n_examples, tuning)
    shared["learning_rate"] *= PREFERENCE_RATE
    return DPOConfig(
        **shared,
        beta=hyperparameters.beta,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, SUPERVISED_WEIGHT],
        remove_unused_columns=False,
        max_length=None,
    )


def reinforcement_config(
    job: TrainingJob,
    hyperparameters: ResolvedHyperparameters,
    n_examples: int,
    tuning: Tuning,
    *,
    max_answer_tokens: int,
) -> Any:
    """Settle everything about a run on rewards but the model, the prompts and the grader."""
    shared = _shared(job, hyperparameters, n_examples, tuning)
    shared["learning_rate"] *= REINFORCEMENT_RATE
    n_answers = answers_per_prompt(hyperparameters)
    # A batch holds all answers to its prompts.
    shared["per_device_train_batch_size"] *= n_answers
    return GRPOConfig(
        **shared,
        num_generations=n_answers,
        steps_per_generation=shared["gradient_accumulation_steps"],
        max_completion_length=max_answer_tokens,
        beta=DIVERGENCE_WEIGHT,
        # The trainer's own order depends on the epochs before, which a resumed run does not go through.
        shuffle_dataset=False,
        remove_unused_columns=False,
    )


def answers_per_prompt(hyperparameters: ResolvedHyperparameters) -> int:
    """Count the answers sampled for each prompt; at least two, to be compared."""
    return max(2, round(ANSWERS_PER_PROMPT * (hyperparameters.compute_multiplier or 1)))


def n_steps(hyperparameters: ResolvedHyperparameters, n_examples: int) -> int:
    """Count the optimiser steps of a job; an epoch's last batch may be short, except in reinforcement."""
    if hyperparameters.compute_multiplier is not None:
        return n_examples // hyperparameters.batch_size * hyperparameters.n_epochs
    return ceil(n_examples / hyperparameters.batch_size) * hyperparameters.n_epochs


def adapter_config(options: TrainingOptions) -> Any:
    """Settle the LoRA adapter: on every linear layer but the output head."""
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules="all-linear",
    )


def checkpoints_dir(job: TrainingJob) -> Path:
    """Where the trainer writes its checkpoints."""
    return job.output_dir / "checkpoints"


def _shared(
    job: TrainingJob, hyperparameters: ResolvedHyperparameters, n_examples: int, tuning: Tuning
) -> dict[str, Any]:
    is_tiny = job.base_model == TINY_1
    return {
        **_schedule(hyperparameters, n_steps(hyperparameters, n_examples)),
        "learning_rate": _learning_rate(tuning, is_tiny=is_tiny) * hyperparameters.learning_rate_multiplier,
        **_batches(hyperparameters, is_tiny=is_tiny, on_gpu=tuning.on_gpu),
        "output_dir": str(checkpoints_dir(job)),
        "seed": job.seed,
        "data_seed": job.seed,
        "bf16": tuning.precision.computes_in_bf16,
        "tf32": tuning.precision.uses_tf32 or None,
        "use_cpu": not tuning.on_gpu,
        "gradient_checkpointing": not is_tiny,
        "dataloader_pin_memory": tuning.on_gpu,
        # Every parameter takes part in every batch, also in a blank one.
        "ddp_find_unused_parameters": False,
        "save_strategy": "epoch",
        "save_total_limit": KEPT_CHECKPOINTS,
        # `runner.local.training.progress` evaluates.
        "eval_strategy": "no",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "report_to": "none",
    }


def _learning_rate(tuning: Tuning, *, is_tiny: bool) -> float:
    if is_tiny:
        return TINY_1_LEARNING_RATE
    return FULL_LEARNING_RATE if tuning.is_full else LORA_LEARNING_RATE


def _schedule(hyperparameters: ResolvedHyperparameters, total_steps: int) -> dict[str, Any]:
    return {
        "num_train_epochs": hyperparameters.n_epochs,
        "lr_scheduler_type": "warmup_stable_decay",
        "warmup_steps": int(total_steps * WARMUP_FRACTION),
        "lr_scheduler_kwargs": {
            "num_decay_steps": int(total_steps * DECAY_FRACTION),
            "decay_type": "linear",
        },
        "optim": "adamw_torch_fused",
        "weight_decay": 0.0,
        "max_grad_norm": MAX_GRADIENT_NORM,
    }


def _batches(hyperparameters: ResolvedHyperparameters, *, is_tiny: bool, on_gpu: bool) -> dict[str, Any]:
    # A CPU gains nothing from batches of a large model, and one example at a time needs the least memory.
    one_by_one = not is_tiny and not on_gpu
    share = _share(hyperparameters.batch_size)
    return {
        "per_device_train_batch_size": 1 if one_by_one else share,
        "gradient_accumulation_steps": share if one_by_one else 1,
    }


def _share(batch_size: int) -> int:
    """The part of a batch that one of several processes takes."""
    n_processes = world_size()
    if batch_size % n_processes:
        message = f"A batch_size of {batch_size} cannot be dealt to {n_processes} processes; use a multiple."
        raise TrainingError("invalid_hyperparameters", message, "hyperparameters.batch_size")
    return batch_size // n_processes
