"""What a recipe asks of its host, checked before anything is built or sent."""

from collections.abc import Iterator
from pathlib import Path

from runner.dataset.value import Dataset
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue
from runner.providers.base_models import BaseModel, find_base_model
from runner.providers.hosts import Host, find_host
from runner.providers.translation import training_problems
from runner.recipe.load import LoadedRecipe


def host_problems(loaded: LoadedRecipe, user_hosts: Path | None) -> Iterator[Issue]:
    """Where a recipe does not fit its provider, or the provider's entry cannot be used."""
    training = loaded.recipe.training
    try:
        host = find_host(training.provider, user_hosts, loaded.project)
    except InvalidInputError as error:
        yield from error.issues
        return
    except RunnerError as error:
        yield loaded.issue(("training", "provider"), str(error))
        return
    for sentence in _model_problems(loaded, host):
        yield loaded.issue(("training", "model"), sentence)
    for keys, message in training_problems(training, host, loaded.root_model):
        yield loaded.issue(keys, message)
    if not loaded.recipe.split.validation:
        yield from _lacks_validation(loaded, host, "split.validation is 0. Set it to 0.1 or so")


def refuse_missing_validation(loaded: LoadedRecipe, dataset: Dataset, host: Host) -> None:
    """Raise InvalidInputError for options that need a validation file where no record went into one."""
    if dataset.validation_file is None:
        found = "no record fell on that side. Raise split.validation, add records"
        issues = list(_lacks_validation(loaded, host, found))
        if issues:
            raise InvalidInputError(issues)


def _lacks_validation(loaded: LoadedRecipe, host: Host, why: str) -> Iterator[Issue]:
    options = loaded.recipe.training.options
    for option in host.options:
        if option.needs_validation and options.get(option.name) not in (None, False):
            message = f"found an option that compares epochs by the validation file, but {why}, or remove it."
            yield loaded.issue(("training", "options", option.name), message)


def _model_problems(loaded: LoadedRecipe, host: Host) -> Iterator[str]:
    training = loaded.recipe.training
    if isinstance(training.model, str):
        found = find_base_model(training.model, host, loaded.folder, loaded.project)
        if isinstance(found, str):
            yield found
    elif loaded.base is not None and loaded.base.recipe.training.provider != training.provider:
        other = loaded.base.recipe.training.provider
        yield (
            f"found {training.model} at the provider '{other}', expected one at '{training.provider}', where "
            "this recipe trains: a tuned model stays where it was made. Name one provider in both, or a "
            "profile of the other that does."
        )


def base_model(loaded: LoadedRecipe, host: Host) -> BaseModel:
    """The base model of a recipe, or of the first recipe that leads to it.

    Raises InvalidInputError where there is none.
    """
    loaded = loaded.lineage[0]
    found = find_base_model(loaded.root_model, host, loaded.folder, loaded.project)
    if isinstance(found, str):
        raise InvalidInputError([loaded.issue(("training", "model"), found)])
    return found


def refuse_large_files(dataset: Dataset, host: Host) -> None:
    """Raise RunnerError for a dataset file that the host does not take."""
    limit = host.limits.largest_bytes
    names = ("training", "validation")
    for name, file in zip(names, dataset.files, strict=False):
        if file.size_bytes > limit:
            raise RunnerError(
                f"the {name} file has {file.size_bytes:,} bytes, {host.name} takes at most {limit:,}. "
                "Train on fewer or shorter examples. Nothing was sent."
            )
