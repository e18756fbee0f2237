"""The commands promote and rollback: which model an alias stands for."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.aliases import Promotion
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    only_option,
    operator,
    profile_option,
    tell,
    write,
    write_json,
)
from runner.project import find_project
from runner.recipe.choosing import single
from runner.recipe.load import load_recipe
from runner.report.alias_text import promotion_text
from runner.upkeep.promotion import promote as let_stand
from runner.upkeep.promotion import refuse_name
from runner.upkeep.promotion import rollback as let_stand_again

reason_option = click.option("--reason", help="Why, for those who read the file later.")


@click.command()
@click.argument("alias")
@click.argument("recipe", required=False, type=FILE)
@profile_option
@only_option
@reason_option
@json_option
def promote(
    alias: str,
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    reason: str | None,
    as_json: bool,
) -> None:
    """Let ALIAS stand for the recipe's tuned model, with its evidence, in the project's aliases.yaml.

    Nothing is sent to a provider. A recipe with a gate needs a locked evaluation of this model that passed
    it; without one the exit code is 7.
    """
    refuse_name(alias, recipe)
    decided = operator(profile=profile, only=only)
    loaded = single(load_recipe(find_recipe(recipe), profile), only)
    promotion = let_stand(alias, loaded, decided, reason)
    if promotion is None and not as_json:
        tell(f"{alias} stands for this model already; nothing was written.")
        return
    _show(promotion, as_json=as_json)


@click.command()
@click.argument("alias")
@reason_option
@json_option
def rollback(alias: str, *, reason: str | None, as_json: bool) -> None:
    """Let ALIAS stand for the model that it stood for before.

    Typed again, it goes one further back. The entry is added to aliases.yaml; nothing is sent.
    """
    _show(let_stand_again(alias, find_project(Path.cwd()), operator(), reason), as_json=as_json)


def _show(promotion: Promotion | None, *, as_json: bool) -> None:
    if as_json:
        write_json({"promotion": asdict(promotion) if promotion else None})
    elif promotion is not None:
        write(promotion_text(promotion))
        tell("added to aliases.yaml; commit it.")
