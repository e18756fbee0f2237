"""A recipe's training in a host's own words: every value is translated, or refused, never silently reread."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.display import shown
from runner.hints import did_you_mean, listed
from runner.providers.hosts import Host, HostOption
from runner.recipe.model import AUTO, Training

Keys = tuple[str | int, ...]
TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
}
# Values by which a recipe leaves out what an option would bring.
SAYING_NO = (False, "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a job's request says: the hyperparameters of its method, and what stands beside them."""

    hyperparameters: Mapping[str, Any]
    body: Mapping[str, Any]


def worded(training: Training, host: Host) -> Wording:
    """Say a recipe's training in the host's names; only training without `training_problems` comes here."""
    return wording_of(host, training.method, training.hyperparameters.as_dict(), training.options)


def wording_of(
    host: Host, method: str, hyperparameters: Mapping[str, Any], options: Mapping[str, Any]
) -> Wording:
    """Say values in the host's names; what it has no name for is left out."""
    names = host.methods.get(method, {})
    inner = {
        names[name]: value
        for name, value in hyperparameters.items()
        if name in names and (value != AUTO or host.takes_auto)
    }
    body: dict[str, Any] = {}
    for option in host.options:
        if option.name in options:
            target = inner if option.place == "hyperparameters" else body
            target[option.name] = options[option.name]
    return Wording(hyperparameters=inner, body=body)


def training_problems(training: Training, host: Host, root_model: str) -> Iterator[tuple[Keys, str]]:
    """What the host cannot do, with its place in the recipe; `root_model` is what all training began with."""
    yield from _suffix_problems(training, host)
    if training.method not in host.methods:
        message = f"found '{training.method}', {host.name} has {listed(host.methods)}."
        yield ("training", "method"), f"{message} Choose one of them, or another provider."
        return
    model = host.model(root_model)
    if model is not None and model.methods and training.method not in model.methods:
        message = f"found '{training.method}', {host.name} trains {model.name} with {listed(model.methods)}."
        yield ("training", "method"), f"{message} Choose another model or method."
    yield from _grader_problems(training, host)
    for name, value in training.hyperparameters.as_dict().items():
        if value != AUTO and name not in host.methods[training.method]:
            yield ("training", "hyperparameters", name), _no_equal(host)
    known = {option.name: option for option in host.options}
    without = model.without_options if model is not None else ()
    for name, value in training.options.items():
        keys: Keys = ("training", "options", name)
        if name not in known:
            near = did_you_mean(name, list(known)) if known else "Remove it."
            yield keys, f"found an option that {host.name} does not have. {near}"
        elif not _fits(value, known[name]):
            expected = known[name].type
            yield keys, f"found {shown(value)}, expected a value of the type {expected}. Change it."
        elif known[name].values and value not in known[name].values:
            yield keys, f"found {shown(value)}. {did_you_mean(str(value), list(known[name].values))}"
        elif name in without and value not in SAYING_NO:
            yield keys, f"found {shown(value)}, but {root_model} has no use for it. Remove it."


def _grader_problems(training: Training, host: Host) -> Iterator[tuple[Keys, str]]:
    """A model that judges is asked by hosted services; the local one has its hands full with training."""
    if training.grader is None or not host.is_local:
        return
    from runner.graders.grade import judging_models
    from runner.graders.model import InvalidGraderError
    from runner.graders.parse import parse_grader

    try:
        models = judging_models(parse_grader(dict(training.grader)))
    except InvalidGraderError:
        return
    if models:
        yield (
            ("training", "grader"),
            f"found a grader that asks the model {shown(models[0])}; {host.name} trains with graders that "
            "compare texts or run code alone. Choose another grader, or another provider.",
        )


def _suffix_problems(training: Training, host: Host) -> Iterator[tuple[Keys, str]]:
    suffix, limits = training.suffix, host.limits
    if suffix is None:
        return
    if len(suffix) > limits.max_suffix_characters:
        longest = limits.max_suffix_characters
        takes = f"at most {longest}. Shorten it." if longest else "no suffix. Remove it."
        yield ("training", "suffix"), f"found {len(suffix)} characters, {host.name} takes {takes}"
    elif limits.suffix_pattern and not re.fullmatch(limits.suffix_pattern, suffix):
        message = f"found {shown(suffix)}, {host.name} takes text like {limits.suffix_pattern}. Change it."
        yield ("training", "suffix"), message


def _no_equal(host: Host) -> str:
    options = [option.name for option in host.options if option.place == "hyperparameters"]
    instead = f" Its own are {listed(options)}, under `training.options`." if options else ""
    return f"{host.name} has no equal of it, expected auto. Remove it.{instead}"


def _fits(value: object, option: HostOption) -> bool:
    # A boolean is an integer to Python only.
    return isinstance(value, TYPES[option.type]) and (isinstance(value, bool) == (option.type == "boolean"))
