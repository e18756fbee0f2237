"""The render command: a composed recipe and where its values come from."""

from pathlib import Path
from typing import Any

import click

from runner import pipeline
from runner.cli.options import (
    find_recipe,
    json_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    write,
    write_json,
)
from runner.recipe.load import LoadedRecipe
from runner.recipe.origins import render_recipe
from runner.report.recipe_text import recipe_with_origins, recipe_yaml


@click.command()
@recipe_argument
@profile_option
@set_option
@click.option("--no-origin", is_flag=True, help="Only what was stated, as a recipe of the same hash.")
@json_option
def render(
    recipe: Path | None, *, profile: str, assignments: tuple[str, ...], no_origin: bool, as_json: bool
) -> None:
    """Print a recipe as composed from its bases, profile and --set, with the origin of every value.

    Paths are relative to the recipe's folder: there the output of --no-origin is a recipe of its own.
    """
    loaded = pipeline.validate(find_recipe(recipe), operator(profile=profile, assignments=assignments))
    if as_json:
        write_json(_data(loaded, with_defaults=not no_origin))
    elif no_origin:
        write(recipe_yaml(render_recipe(loaded.document, with_defaults=False)))
    else:
        write(recipe_with_origins(render_recipe(loaded.document, with_defaults=True)))


def _data(loaded: LoadedRecipe, *, with_defaults: bool) -> dict[str, Any]:
    rendered = render_recipe(loaded.document, with_defaults=with_defaults)
    values = [
        {"path": ".".join(map(str, keys)), "value": value, "origin": rendered.origins[keys]}
        for keys, value in rendered.leaves()
    ]
    return {"recipe": loaded.recipe.name, "sha256": loaded.recipe.sha256, "values": values}
