"""The commands export and push: a tuned model given out."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    network_option,
    only_option,
    operator,
    profile_option,
    write,
    write_json,
)
from runner.recipe.choosing import single
from runner.recipe.load import load_recipe
from runner.upkeep.giving import export as give_out
from runner.upkeep.giving import push_model

merge_option = click.option("--merge", is_flag=True, help="Merge an adapter into its base model.")


@click.command()
@click.argument("folder", type=FILE)
@click.argument("recipe", required=False, type=FILE)
@click.option("--step", type=click.IntRange(1), help="The checkpoint of this step.")
@merge_option
@profile_option
@only_option
@json_option
def export(
    folder: Path,
    recipe: Path | None,
    *,
    step: int | None,
    merge: bool,
    profile: str,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the recipe's locally trained model into FOLDER, in safetensors with a model card.

    FOLDER is new or empty. Transformers and PEFT load it as it is.
    """
    loaded = single(load_recipe(find_recipe(recipe), profile), only)
    exported = give_out(loaded, folder, operator(profile=profile, only=only), step=step, merge=merge)
    if as_json:
        write_json({"export": asdict(exported)})
        return
    write(f"{exported.folder}: {exported.kind}")
    for file in exported.files:
        write(f"  {file.name}  {file.size_bytes:,} bytes, sha256 {file.sha256[:16]}")


@click.command()
@click.argument("repository", metavar="OWNER/NAME")
@click.argument("recipe", required=False, type=FILE)
@merge_option
@click.option("--public", is_flag=True, help="Make a new repository public; an existing one stays as it is.")
@network_option
@profile_option
@only_option
@json_option
def push(
    repository: str,
    recipe: Path | None,
    *,
    merge: bool,
    public: bool,
    allow_network: bool,
    profile: str,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Put the recipe's locally trained model with its card on the Hugging Face hub.

    It becomes a commit of OWNER/NAME, which is private where it is new. Nothing there is deleted. The token
    comes from HF_TOKEN or `hf auth login`.
    """
    loaded = single(load_recipe(find_recipe(recipe), profile), only)
    decided = operator(profile=profile, only=only, allow_network=allow_network)
    where = push_model(loaded, repository, decided, merge=merge, is_public=public)
    if as_json:
        write_json({"commit": where})
    else:
        write(where)
