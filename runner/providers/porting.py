"""What becomes of a recipe at another host: what maps, what is translated, what is lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from runner.display import shown
from runner.errors import UsageError
from runner.hints import listed
from runner.providers.hosts import Host
from runner.providers.hub_models import parse_hub_name
from runner.recipe.model import AUTO, Training

State = Literal["same", "translated", "lost"]
# What a number of these says does not depend on who trains.
COUNTS = ("n_epochs", "batch_size", "beta", "eval_interval", "eval_samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ported:
    """One value of a recipe's training at another host; `why` it is not the same."""

    name: str
    state: State
    before: object
    after: object
    why: str = ""

    def __str__(self) -> str:
        values = shown(self.before) if self.state == "same" else f"{shown(self.before)} → {shown(self.after)}"
        return f"{self.name} {values}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, kw_only=True)
class Porting:
    """A recipe's training worded for `target`, as what a profile states; `source` is where it trains now."""

    source: Host
    target: Host
    model: str
    values: tuple[Ported, ...]
    overlay: dict[str, Any]


def port_training(training: Training, source: Host, target: Host, model: str | None = None) -> Porting:
    """Word a recipe's training for another host, and say what that changes.

    Without `model` it keeps its own where the target has it, or takes the only one that the target has.
    Raises UsageError where the target cannot train it or no model is named.
    """
    if not isinstance(training.model, str):
        raise UsageError(
            f"the recipe trains {training.model}, and a tuned model stays where it was made. "
            "Port that recipe first, then name its new profile under `training.model`."
        )
    if training.method not in target.methods:
        raise UsageError(
            f"the recipe trains with '{training.method}', {target.name} has {listed(target.methods)}. "
            "Choose another host."
        )
    chosen = model or _model_at(training.model, target)
    if (source.name, training.model) == (target.name, chosen):
        raise UsageError(f"the recipe trains {chosen} at {target.name} already. Name another --model.")
    move = _Move(training=training, source=source, target=target, model=chosen)
    values = tuple(move.values())
    return Porting(
        source=source,
        target=target,
        model=chosen,
        values=values,
        overlay={"training": _overlay(values, target, chosen)},
    )


def _model_at(name: str, target: Host) -> str:
    known = [model.name for model in target.models]
    if name in known or (target.is_local and parse_hub_name(name)):
        return name
    if len(known) == 1:
        return known[0]
    examples = f"It has {listed(known)}." if known else "Its entry lists none."
    raise UsageError(
        f"{target.name} has no model '{name}' in its host entry. {examples} Name one with --model."
    )


@dataclass(frozen=True, kw_only=True)
class _Move:
    """A training on its way from one host to another."""

    training: Training
    source: Host
    target: Host
    model: str

    def values(self) -> Iterator[Ported]:
        training = self.training
        yield _same("method", training.method)
        for name, value in training.hyperparameters.as_dict().items():
            if value != AUTO:
                yield self.hyperparameter(name, value)
        for name, value in training.options.items():
            yield self.option(name, value)
        if training.suffix is not None:
            yield self.suffix(training.suffix)

    def hyperparameter(self, name: str, value: object) -> Ported:
        theirs = self.target.methods[self.training.method].get(name)
        why = self.loss(name) if theirs else self.no_equal()
        if why:
            return Ported(name=name, state="lost", before=value, after=AUTO, why=why)
        if theirs == name:
            return _same(name, value)
        return Ported(name=name, state="translated", before=value, after=value, why=f"called {theirs} there")

    def no_equal(self) -> str:
        own = [option.name for option in self.target.options if option.place == "hyperparameters"]
        instead = f"; its own are {listed(own)}, under `training.options`" if own else ""
        return f"{self.target.name} has no equal{instead}"

    def loss(self, name: str) -> str:
        """Why a number would mean something else there; empty where it does not."""
        before = str(self.training.model)
        if self.source.is_local and self.source.model(before) is not None and before != self.model:
            return f"chosen for {before}, which is made to memorise on this machine"
        if name not in COUNTS and before != self.model:
            host = self.source.name
            return f"it multiplies what {host} takes for {before}, and {self.model} is another model"
        return ""

    def option(self, name: str, value: object) -> Ported:
        ours = {option.name: option for option in self.source.options}
        theirs = {option.name: option for option in self.target.options}
        if name in theirs and theirs[name] == ours.get(name):
            return _same(f"options.{name}", value)
        why = f"{self.target.name} has no such option"
        return Ported(name=f"options.{name}", state="lost", before=value, after=None, why=why)

    def suffix(self, suffix: str) -> Ported:
        """A suffix as the target takes it: cut, hyphens for points; lost where that does not help."""
        limits = self.target.limits
        longest, pattern = limits.max_suffix_characters, limits.suffix_pattern
        takes = f"at most {longest} characters" + (f" like {pattern}" if pattern else "")
        why = f"{self.target.name} takes {takes if longest else 'no suffix'}"
        for candidate in (suffix[:longest], suffix.replace(".", "-")[:longest].rstrip("-")):
            if candidate and (pattern is None or re.fullmatch(pattern, candidate)):
                if candidate == suffix:
                    return _same("suffix", suffix)
                return Ported(name="suffix", state="translated", before=suffix, after=candidate, why=why)
        return Ported(name="suffix", state="lost", before=suffix, after=None, why=why)


def _same(name: str, value: object) -> Ported:
    return Ported(name=name, state="same", before=value, after=value)


def _overlay(values: tuple[Ported, ...], target: Host, model: str) -> dict[str, Any]:
    """What a profile states: another provider resets hyperparameters, null removes anything else."""
    training: dict[str, Any] = {"provider": target.name, "model": model}
    kept: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for value in values:
        if value.name == "suffix" and value.state != "same":
            training["suffix"] = value.after
        elif value.name.startswith("options.") and value.state == "lost":
            options[value.name.removeprefix("options.")] = None
        elif value.name not in ("method", "suffix") and "." not in value.name and value.state != "lost":
            kept[value.name] = value.after
    if kept:
        training["hyperparameters"] = kept
    if options:
        training["options"] = options
    return training
