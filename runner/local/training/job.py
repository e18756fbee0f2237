"""The values that go into a training job and come out of it; nothing here imports torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Level = Literal["info", "warn", "error"]
Method = Literal["supervised", "dpo", "reinforcement"]
Adapter = Literal["lora", "qlora", "none"]
# The reward of an answer, given the item that its prompt came with.
Grade = Callable[[str, Mapping[str, Any]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """What the job asks for; "auto" leaves a value to `runner.local.training.hyperparameters`.

    `beta` is for preference tuning alone, `compute_multiplier` for reinforcement: it scales how many answers
    to each prompt are sampled.
    """

    n_epochs: int | Literal["auto"] = "auto"
    batch_size: int | Literal["auto"] = "auto"
    learning_rate_multiplier: float | Literal["auto"] = "auto"
    beta: float | Literal["auto"] = "auto"
    compute_multiplier: float | Literal["auto"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedHyperparameters:
    """What the job runs with; None for what its method does not have."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float | None = None
    compute_multiplier: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """What OpenAI's API has no words for, under the names that Hugging Face's libraries have for it.

    Without `adapter` a tuned model is trained as it was before, and another one by LoRA. Patience counts the
    epochs that may pass without a validation loss smaller by more than the threshold.
    """

    adapter: Adapter | None = None
    lora_r: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    early_stopping_patience: int | None = None
    early_stopping_threshold: float = 0.0
    load_best_model_at_end: bool | None = None

    @property
    def chooses_best(self) -> bool:
        """Whether the best checkpoint becomes the model: as told, or where training may stop early."""
        if self.load_best_model_at_end is None:
            return self.early_stopping_patience is not None
        return self.load_best_model_at_end


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One fine-tuning job.

    `base_model` is "tiny-1", a Hugging Face name or an absolute path. `base_model_path` points at weights on
    disk to train further: a model folder, or an adapter made for `base_model`. Everything is written under
    `output_dir`. Reinforcement needs `grade`.
    """

    base_model: str
    base_model_path: Path | None = None
    training_file: Path
    validation_file: Path | None = None
    hyperparameters: Hyperparameters
    options: TrainingOptions = TrainingOptions()
    seed: int
    output_dir: Path
    method: Method = "supervised"
    grade: Grade | None = None
    allow_network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMetrics:
    """The measurements of one optimiser step; losses in nats per token, accuracies from 0 to 1.

    `epoch` counts passes over the data and is fractional between their ends. The validation values are those
    of the whole validation file and appear on the last step of an epoch. The reward accuracy and margin are
    those of preference tuning: the share of pairs whose preferred answer is the likelier one, and by how
    much, in nats. The mean reward and the divergence from the base model (KL, in nats per token) are those of
    reinforcement, which has no token accuracy.
    """

    step: int
    total_steps: int
    epoch: float
    train_loss: float
    train_mean_token_accuracy: float | None = None
    train_reward_accuracy: float | None = None
    train_reward_margin: float | None = None
    train_mean_reward: float | None = None
    train_kl: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    valid_reward_accuracy: float | None = None
    valid_reward_margin: float | None = None
    valid_mean_reward: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointMetrics:
    """A checkpoint's measurements, under the hosted API's names where it has them."""

    step: int
    train_loss: float
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None
    train_reward_accuracy: float | None = None
    train_reward_margin: float | None = None
    train_mean_reward: float | None = None
    train_kl: float | None = None
    valid_reward_accuracy: float | None = None
    valid_reward_margin: float | None = None
    valid_mean_reward: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The weights at the end of an epoch; `path` is a folder that inference can load."""

    step: int
    epoch: int
    path: Path
    metrics: CheckpointMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What a finished job leaves behind.

    `trained_tokens` is every token of the rendered training file, trained on or not, times the epochs: both
    answers of a preference with their prompts, the prompts alone of reinforcement.
    `weights_sha256` is the hash of the safetensors in `model_dir`; it is reproduced on an equal
    `weights_platform`. `checkpoints` are the last three, or two and the best one, oldest first.
    """

    hyperparameters: ResolvedHyperparameters
    trained_tokens: int
    weights_sha256: str
    weights_platform: str
    model_dir: Path
    checkpoints: tuple[Checkpoint, ...]
    results_csv: Path


class Reporter(Protocol):
    """Where a running job sends its news; called from the training thread, between steps."""

    def event(self, level: Level, message: str) -> None:
        """Take one line of the job's log."""

    def resolved(self, hyperparameters: ResolvedHyperparameters, total_steps: int, n_examples: int) -> None:
        """Take the values behind "auto", once, before the first step."""

    def metrics(self, metrics: StepMetrics) -> None:
        """Take the measurements of one step."""

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Take a checkpoint that was just written; of the others, some may be gone."""

    def is_cancelled(self) -> bool:
        """Say whether the job should stop; asked at every step."""


class TrainingError(Exception):
    """A job failed for a reason its owner can change; `code` is the hosted API's where it has one."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class TrainingCancelled(Exception):  # noqa: N818 - an outcome, not an error
    """The reporter asked the job to stop."""
