"""The command that counts the tokens of a recipe's dataset."""

from pathlib import Path

import click

from runner import building, pipeline
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
from runner.cli.source_options import source_options
from runner.providers.hosts import find_host
from runner.recipe.choosing import with_one_dataset
from runner.report.tokens_text import tokens_text
from runner.token_counts import fetch_ranks, token_report


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@click.option(
    "--allow-network",
    is_flag=True,
    help="Download what an exact count needs, checked by its hash, and sources that are URLs.",
)
@source_options
@json_option
def tokens(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    as_json: bool,
) -> None:
    """Count the tokens: how many, how long examples are, whose they are, and what training on them costs.

    Exact with the model's own tokenizer where that is on this machine, else estimated and called so.
    """
    decided = operator(profile=profile, assignments=assignments, only=only, allow_network=allow_network)
    loaded = with_one_dataset(pipeline.validate(find_recipe(recipe), decided), only)
    building.supply_sources(loaded, decided)
    if allow_network:
        fetch_ranks(loaded, decided)
    host = find_host(loaded.recipe.training.provider, decided.user_hosts, loaded.project)
    dataset = building.build(loaded, host, effort=decided.effort)
    report = token_report(loaded, host, dataset, decided)
    if as_json:
        write_json({"tokens": report.data()})
    else:
        write(tokens_text(report))
