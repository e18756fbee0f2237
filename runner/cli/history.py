"""The history command: what ran under a recipe before."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.options import (
    find_recipe,
    json_option,
    operator,
    recipe_argument,
    terminal_width,
    write,
    write_json,
)
from runner.execution.history import history_of
from runner.recipe.load import load_recipe
from runner.report.history_text import history_text


@click.command()
@recipe_argument
@click.option("--profile", default=None, help="Only the runs under this overlay of the recipe.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@json_option
def history(recipe: Path | None, *, profile: str | None, limit: int, as_json: bool) -> None:
    """List the runs that this folder knows of, latest first: when, which job, what came of it, and why.

    Times are in UTC. The list lies in the git-ignored state folder; the lockfile has the last run only.
    """
    decided = operator()
    past = history_of(load_recipe(find_recipe(recipe)), decided.clock).runs()
    shown = [run for run in past if profile in (None, run.profile, run.profile.partition("[")[0])][:limit]
    if as_json:
        write_json({"runs": [asdict(run) for run in shown]})
    else:
        write(history_text(shown, terminal_width()))
