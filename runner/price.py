"""What training costs, from dated tables, and when a base model is shut down."""

import math
from dataclasses import dataclass
from datetime import date

from runner.dataset.tokens import ESTIMATED
from runner.dataset.value import Dataset, DatasetFile
from runner.lock.lockfile import LockedRun
from runner.providers.hosts import Host, HostModel
from runner.recipe.model import Recipe

# OpenAI's rule for `auto` epochs, as its cookbook publishes it (2026-11):
# https://developers.openai.com/cookbook/examples/chat_finetuning_data_prep
TARGET_EPOCHS, MIN_TARGET_EXAMPLES, MAX_TARGET_EXAMPLES, MAX_AUTO_EPOCHS = 3, 100, 25_000, 25
HALF_A_CENT_USD = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What the training costs; `usd` is None where no price is known, which is not zero."""

    usd: float | None
    arithmetic: str

    @property
    def amount(self) -> str:
        """The dollars, in cents, as every command shows them."""
        return shown_usd(self.usd)

    def __str__(self) -> str:
        return f"{self.amount} ({self.arithmetic})"


def shown_usd(usd: float | None) -> str:
    """An amount of US dollars; an unknown one is not zero, nor is one of less than half a cent."""
    if usd is not None and 0 < usd < HALF_A_CENT_USD:
        return "<$0.01"
    return "unknown" if usd is None else f"${usd:,.2f}"


def estimated_epochs(n_examples: int) -> int:
    """The epochs that OpenAI's published rule gives for `auto`."""
    if n_examples * TARGET_EPOCHS < MIN_TARGET_EXAMPLES:
        return min(MAX_AUTO_EPOCHS, MIN_TARGET_EXAMPLES // max(1, n_examples))
    if n_examples * TARGET_EPOCHS > MAX_TARGET_EXAMPLES:
        return max(1, MAX_TARGET_EXAMPLES // n_examples)
    return TARGET_EPOCHS


def trained_epochs(recipe: Recipe, n_examples: int) -> tuple[int, str]:
    """How often a job sees every example, and that in words; `auto` is estimated."""
    return _epochs(recipe.training.hyperparameters.n_epochs, n_examples)


def price_of(recipe: Recipe, dataset: Dataset, host: Host, model: HostModel | None) -> Price:
    """Tokens × epochs × price, with the arithmetic; nothing at a host that is not paid.

    `model` is the entry of the model that all training began with: a tuned model costs what its base does.
    """
    training = recipe.training
    amount = _dataset_tokens(dataset.training_file, training.hyperparameters.n_epochs)
    return _price(training.method, amount, host, model)


def trained_price(method: str, n_tokens: int, host: Host, model: HostModel | None) -> Price:
    """The price of a job whose host says how many tokens it trained; `model` is as for `price_of`."""
    return _price(method, (n_tokens, f"{n_tokens:,} trained tokens"), host, model)


def locked_price(run: LockedRun, host: Host, model: HostModel | None) -> Price:
    """The price of the job that a lockfile names: by its trained tokens, else as `price_of` estimated it.

    `model` is as for `price_of`.
    """
    job = run.job
    if job is None:
        raise AssertionError("BUG: no job, no price")
    if job.trained_tokens is not None:
        return trained_price(job.method, job.trained_tokens, host, model)
    epochs = job.resolved.get("n_epochs", job.requested.get("n_epochs"))
    return _price(job.method, _dataset_tokens(run.training_file.file, epochs), host, model)


def _epochs(asked: object, n_examples: int) -> tuple[int, str]:
    if isinstance(asked, int):
        return asked, f"{asked} epochs"
    estimated = estimated_epochs(n_examples)
    return estimated, f"{estimated} epochs (auto, estimated)"


def _dataset_tokens(file: DatasetFile, asked_epochs: object) -> tuple[int, str]:
    """How many tokens will be trained, and how that comes."""
    epochs, shown_epochs = _epochs(asked_epochs, file.n_examples)
    quality = "" if file.tokens_exact else f" ({ESTIMATED})"
    return file.n_tokens * epochs, f"{file.n_tokens:,} tokens{quality} × {shown_epochs}"


def _price(method: str, tokens: tuple[int, str], host: Host, model: HostModel | None) -> Price:
    if not host.paid:
        where = "trains on this machine" if host.is_local else f"{host.name} is not paid"
        return Price(usd=0.0, arithmetic=where)
    if method == "reinforcement":
        # Azure and, while it had it, OpenAI bill the hours of training and the tokens of the graders.
        return Price(usd=None, arithmetic="reinforcement is billed by time, which nobody knows before")
    n_tokens, amount = tokens
    rate = model.training_usd_per_million_tokens if model else None
    if model is None or rate is None:
        return Price(usd=None, arithmetic=f"{amount} × unknown price")
    usd = math.ceil(n_tokens * rate / 10_000) / 100
    source = f"table of {model.price_as_of}" + (f", {model.price_source}" if model.price_source else "")
    return Price(usd=usd, arithmetic=f"{amount} × ${rate:g} per million tokens ({source}), rounded up")


def retirement(model: HostModel | None, today: date) -> str | None:
    """A sentence when a base model is shut down or will be; None when no date is known."""
    if model is None or model.shutdown_date is None:
        return None
    days = (model.shutdown_date - today).days
    if days < 0:
        return f"{model.name} was shut down on {model.shutdown_date}"
    return f"{model.name} shuts down on {model.shutdown_date}, in {days} days"
