"""The refresh command: what the providers say now of the locked jobs."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.host_options import allow_host_option
from runner.cli.options import find_recipe, json_option, operator, recipe_argument, tell, write, write_json
from runner.upkeep.refresh import Refreshed
from runner.upkeep.refresh import refresh as refresh_lock


@click.command()
@recipe_argument
@click.option("--profile", default=None, help="Only the job of this overlay of the recipe.")
@allow_host_option
@json_option
def refresh(recipe: Path | None, profile: str | None, *, as_json: bool) -> None:
    """Ask the providers about the locked jobs and bring the lockfile up to date, without following them.

    Status, resolved values, tuned model and checkpoints are read; files that are gone lose their IDs.
    Nothing is started, sent or deleted. A provider that cannot be asked is named; if none can, the exit
    code is 1.
    """
    done = refresh_lock(find_recipe(recipe), operator(), profile)
    if as_json:
        write_json({"runs": [asdict(one) for one in done]})
        return
    for one in done:
        if one.problem:
            tell(f"{one.profile}: not asked: {one.problem}")
        else:
            write(_text(one))


def _text(one: Refreshed) -> str:
    said = "; ".join(one.changes) or "nothing changed"
    return f"{one.profile}: {one.job} at {one.provider}: {said}"
