"""The track command: a finished job in an experiment tracker."""

from pathlib import Path
from typing import cast

import click

from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    write,
    write_json,
)
from runner.recipe.choosing import single
from runner.recipe.load import load_recipe
from runner.upkeep.tracking import Tracker
from runner.upkeep.tracking import track as log


@click.command()
@recipe_argument
@click.option(
    "--to", "tracker", required=True, type=click.Choice(["mlflow", "tensorboard", "wandb"]), help="Where."
)
@click.option("--project", help="The experiment or project it is logged under; default: the recipe's name.")
@click.option("--folder", type=FILE, help="Where a tracker that writes files writes them; default: here.")
@profile_option
@only_option
@allow_host_option
@json_option
def track(
    recipe: Path | None,
    *,
    tracker: str,
    project: str | None,
    folder: Path | None,
    profile: str,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Log the recipe's last job with its settings, curves, scores and provenance.

    The run is named by the job: logged again, it stays one. MLFLOW_TRACKING_URI, WANDB_MODE, WANDB_API_KEY
    and what else those libraries read from the environment hold; a recipe has no say.
    """
    loaded = single(load_recipe(find_recipe(recipe), profile), only)
    where = log(loaded, cast(Tracker, tracker), operator(profile=profile, only=only), project, folder)
    if as_json:
        write_json({"tracker": tracker, "where": where})
    else:
        write(f"{tracker}: {where}")
