"""Replaces "auto" in a job's hyperparameters by numbers."""

from runner.local.training.job import Hyperparameters, Method, ResolvedHyperparameters

# The rule of OpenAI's cookbook, read 2026-11-22:
# https://developers.openai.com/cookbook/examples/chat_finetuning_data_prep
TARGET_EPOCHS = 3
MIN_TARGET_EXAMPLES = 100
MAX_TARGET_EXAMPLES = 25_000
MIN_DEFAULT_EPOCHS = 1
MAX_DEFAULT_EPOCHS = 25

DEFAULT_BATCH_SIZE = 8
DEFAULT_LEARNING_RATE_MULTIPLIER = 1.0
# What OpenAI's service chose for "auto" in a recorded job (2026-11).
DEFAULT_BETA = 0.1
DEFAULT_COMPUTE_MULTIPLIER = 1.0


def resolve_hyperparameters(
    asked: Hyperparameters, n_examples: int, method: Method = "supervised"
) -> ResolvedHyperparameters:
    """Choose a number for every "auto"; numbers that were asked for stay as they are."""
    n_epochs = default_n_epochs(n_examples) if asked.n_epochs == "auto" else asked.n_epochs
    batch_size = min(DEFAULT_BATCH_SIZE, n_examples) if asked.batch_size == "auto" else asked.batch_size
    multiplier = asked.learning_rate_multiplier
    if multiplier == "auto":
        multiplier = DEFAULT_LEARNING_RATE_MULTIPLIER
    if method == "reinforcement":
        # The sampler leaves out the prompts that do not fill a batch.
        batch_size = min(batch_size, n_examples)
    beta = DEFAULT_BETA if asked.beta == "auto" else float(asked.beta)
    compute = asked.compute_multiplier
    compute = DEFAULT_COMPUTE_MULTIPLIER if compute == "auto" else float(compute)
    return ResolvedHyperparameters(
        n_epochs=n_epochs,
        batch_size=batch_size,
        learning_rate_multiplier=float(multiplier),
        beta=beta if method == "dpo" else None,
        compute_multiplier=compute if method == "reinforcement" else None,
    )


def default_n_epochs(n_examples: int) -> int:
    """Choose the epochs: three, more where fewer than 100 examples would be seen, fewer where over 25,000."""
    if n_examples * TARGET_EPOCHS < MIN_TARGET_EXAMPLES:
        return min(MAX_DEFAULT_EPOCHS, MIN_TARGET_EXAMPLES // n_examples)
    if n_examples * TARGET_EPOCHS > MAX_TARGET_EXAMPLES:
        return max(MIN_DEFAULT_EPOCHS, MAX_TARGET_EXAMPLES // n_examples)
    return TARGET_EPOCHS
