"""The command that checks recipes and reads no data."""

from pathlib import Path
from typing import Any

import click

from runner import validation
from runner.cli.options import (
    find_recipe,
    json_option,
    operator,
    profile_option,
    recipes_argument,
    set_option,
    without_locks,
    write,
    write_json,
)
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue, Place
from runner.operator import Operator
from runner.recipe.load import LoadedRecipe


@click.command()
@recipes_argument
@profile_option
@set_option
@json_option
def validate(recipes: tuple[Path, ...], *, profile: str, assignments: tuple[str, ...], as_json: bool) -> None:
    """Check recipes, all their profiles, templates and host entries. No data is read."""
    paths = without_locks(recipes) or (find_recipe(None),)
    loaded = _all_valid(paths, operator(profile=profile, assignments=assignments))
    if as_json:
        listed = [_valid_data(item) for item in loaded]
        # A single recipe's values also stand at the top, for programs that check one.
        write_json({**(listed[0] if len(listed) == 1 else {}), "recipes": listed})
    else:
        write("\n".join(map(_valid_text, loaded)))


def _valid_data(loaded: LoadedRecipe) -> dict[str, Any]:
    names = [each.combination.name for each in loaded.combinations if each.combination]
    recipe = loaded.recipe
    return {"file": loaded.file, "recipe": recipe.name, "sha256": recipe.sha256, "combinations": names}


def _valid_text(loaded: LoadedRecipe) -> str:
    count = f", {len(loaded.combinations)} combinations" if loaded.combinations else ""
    return f"{loaded.file}: valid (sha256 {loaded.recipe.sha256[:16]}{count})"


def _all_valid(paths: tuple[Path, ...], decided: Operator) -> list[LoadedRecipe]:
    """Every recipe; raises InvalidInputError with the problems of all."""
    loaded: list[LoadedRecipe] = []
    issues: list[Issue] = []
    for path in dict.fromkeys(paths):
        try:
            loaded.append(validation.validate(path, decided))
        except InvalidInputError as error:
            issues += error.issues
        except RunnerError as error:
            if len(paths) == 1:
                raise
            issues.append(Issue(place=Place(file=str(path)), message=str(error).removeprefix(f"{path}: ")))
    if issues:
        raise InvalidInputError(issues)
    return loaded
