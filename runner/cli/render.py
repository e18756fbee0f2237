"""The render command: a composed recipe and where its values come from."""

from pathlib import Path
from typing import Any

import click

from runner import pipeline
from runner.cli.options import (
    find_recipe,
    json_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    write,
    write_json,
)
from runner.recipe.choosing import chosen, single
from runner.recipe.load import LoadedRecipe
from runner.recipe.origins import render_recipe
from runner.report.recipe_text import recipe_with_origins, recipe_yaml


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@click.option("--no-origin", is_flag=True, help="Only what was stated, as a recipe of the same hash.")
@json_option
def render(
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    assignments: tuple[str, ...],
    no_origin: bool,
    as_json: bool,
) -> None:
    """Print a recipe as composed from its bases, profile and --set, with the origin of every value.

    Paths are relative to the recipe's folder: there the output of --no-origin is a recipe of its own. With
    --only, the combinations of its matrix are printed.
    """
    decided = operator(profile=profile, assignments=assignments, only=only)
    loaded = pipeline.validate(find_recipe(recipe), decided)
    recipes: tuple[LoadedRecipe, ...] = (loaded,)
    if only:
        recipes = (single(loaded, only),) if no_origin else chosen(loaded, only)
    if as_json:
        data = [_data(each, with_defaults=not no_origin) for each in recipes]
        write_json(data[0] if len(data) == 1 else {"combinations": data})
    elif no_origin:
        write(recipe_yaml(render_recipe(recipes[0].document, with_defaults=False)))
    else:
        write("\n\n".join(map(_text, recipes)))


def _text(loaded: LoadedRecipe) -> str:
    text = recipe_with_origins(render_recipe(loaded.document, with_defaults=True))
    return f"# {loaded.combination.name}\n{text}" if loaded.combination else text


def _data(loaded: LoadedRecipe, *, with_defaults: bool) -> dict[str, Any]:
    rendered = render_recipe(loaded.document, with_defaults=with_defaults)
    values = [
        {"path": ".".join(map(str, keys)), "value": value, "origin": rendered.origins[keys]}
        for keys, value in rendered.leaves()
    ]
    data = {"recipe": loaded.recipe.name, "sha256": loaded.recipe.sha256, "values": values}
    return {"combination": loaded.combination.name, **data} if loaded.combination else data
