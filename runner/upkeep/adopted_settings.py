"""Compares the settings of a job made elsewhere with what a recipe asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.display import shown
from runner.planning.value import Planned
from runner.providers.base import Job
from runner.providers.checks import base_model
from runner.providers.hosts import Host
from runner.providers.hub_models import commit_of
from runner.recipe.model import AUTO, Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a recipe asks for, and what the job has; None where the provider does not tell it."""

    name: str
    asked: Any
    found: Any

    @property
    def differs(self) -> bool:
        """Whether the job certainly has another value; every value is one that `auto` may come to."""
        return self.found is not None and self.asked not in (AUTO, self.found)

    @property
    def is_unknown(self) -> bool:
        """Whether the job may have another value."""
        return self.found is None and self.asked != AUTO

    @property
    def actual(self) -> Any:
        """What to lock as asked for: the recipe's value, unless the job has another one."""
        return self.found if self.differs else self.asked

    def __str__(self) -> str:
        return f"{self.name}: the recipe asks for {shown(self.asked)}, the job has {shown(self.found)}"


def settings_of(planned: Planned, host: Host, job: Job) -> Iterator[Setting]:
    """Everything a recipe asks of its job, beside what the job says of it."""
    training = planned.loaded.recipe.training
    yield Setting(name="provider", asked=training.provider, found=host.name)
    found = training.model if _is_named(planned, job) else job.model or None
    yield Setting(name="model", asked=training.model, found=found)
    yield Setting(name="method", asked=training.method, found=job.method)
    names = host.methods.get(training.method, {})
    for name, asked in training.hyperparameters.as_dict().items():
        yield Setting(name=name, asked=asked, found=job.hyperparameters.get(names.get(name, name)))
    for name, value in training.options.items():
        yield Setting(name=name, asked=value, found=job.hyperparameters.get(name))
    yield Setting(name="seed", asked=training.seed, found=job.seed)
    yield Setting(name="suffix", asked=training.suffix or "", found=job.suffix)


def _is_named(planned: Planned, job: Job) -> bool:
    """Whether a job's model is the recipe's, which may have a folder or a commit in its name there."""
    base, commit = base_model(planned.loaded, planned.host), commit_of(job.model)
    names = {base.name} | ({base.hub.at(commit)} if base.hub and commit else set())
    return job.model in names


def actual_recipe(recipe: Recipe, settings: Sequence[Setting]) -> Recipe:
    """The recipe with what the job really has."""
    actual = {item.name: item.actual for item in settings}
    training = recipe.training
    hyperparameters = {name: actual[name] for name in training.hyperparameters.as_dict()}
    return replace(
        recipe,
        training=replace(
            training,
            **{name: actual[name] for name in ("provider", "model", "method", "seed")},
            suffix=actual["suffix"] or None,
            hyperparameters=replace(training.hyperparameters, **hyperparameters),
            options={name: actual[name] for name in training.options},
        ),
    )
