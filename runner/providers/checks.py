"""What a recipe asks of its host, checked before anything is built or sent."""

from collections.abc import Iterator
from pathlib import Path

from runner.errors import InvalidInputError, RunnerError
from runner.providers.base_models import BaseModel, find_base_model
from runner.providers.hosts import Host, find_host
from runner.recipe.load import LoadedRecipe

Problem = tuple[tuple[str | int, ...], str]


def host_problems(loaded: LoadedRecipe, user_hosts: Path | None) -> Iterator[Problem]:
    """Where a recipe does not fit its provider: (recipe path, sentence) pairs."""
    training = loaded.recipe.training
    try:
        host = find_host(training.provider, user_hosts)
    except RunnerError as error:
        yield ("training", "provider"), str(error)
        return
    model = find_base_model(training.model, host, loaded.folder, loaded.project)
    if isinstance(model, str):
        yield ("training", "model"), model
    longest = host.limits.max_suffix_characters
    if training.suffix is not None and len(training.suffix) > longest:
        message = f"found {len(training.suffix)} characters, {host.name} takes at most {longest}. Shorten it."
        yield ("training", "suffix"), message


def base_model(loaded: LoadedRecipe, host: Host) -> BaseModel:
    """The base model of a recipe. Raises InvalidInputError where there is none."""
    found = find_base_model(loaded.recipe.training.model, host, loaded.folder, loaded.project)
    if isinstance(found, str):
        raise InvalidInputError([loaded.issue(("training", "model"), found)])
    return found
