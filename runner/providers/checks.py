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
