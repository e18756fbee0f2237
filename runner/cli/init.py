"""The init command: a starter recipe from a data file."""

from pathlib import Path

import click

from runner import pipeline
from runner.canonical import write_atomically
from runner.cli.options import FILE, json_option, operator, tell, write, write_json
from runner.display import one_line
from runner.errors import RunnerError, UsageError
from runner.hints import command
from runner.project import find_project
from runner.schema import schema_text
from runner.sources.glob import is_pattern
from runner.sources.unpack import compression_of
from runner.starter.guess import SCHEMA_FILE, guess_recipe


@click.command()
@click.argument("data", type=FILE)
@click.option("-o", "--out", type=FILE, help="The recipe to write; by default beside the data.")
@click.option("--force", is_flag=True, help="Replace a recipe that is already there.")
@json_option
def init(data: Path, out: Path | None, force: bool, as_json: bool) -> None:
    """Write a starter recipe for a data file of any format, and show what it guessed and why."""
    if data.is_dir():
        raise RunnerError(f"{data}: found a folder, expected a data file. Give one of its files.")
    if not data.is_file():
        raise RunnerError(f"{data}: not found. Give the path of a data file.")
    recipe = out or _beside(data)
    if recipe.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{recipe}: expected a name that ends with .yaml for the recipe.")
    if recipe.exists() and recipe.samefile(data):
        raise UsageError(f"{recipe} is the data itself. Name another file for the recipe with --out.")
    if recipe.exists() and not force:
        raise UsageError(f"{recipe} exists already. Name another with --out, or replace it with --force.")
    project = find_project(data)
    if not project.contains(recipe):
        raise UsageError(
            f"{recipe} is outside the project of {data}. Sources have to be in the recipe's project."
        )
    _check_names(data, recipe)
    guess = guess_recipe(data, recipe, project)
    write_atomically(project.make_state() / SCHEMA_FILE, schema_text("recipe").encode())
    write_atomically(recipe, guess.text.encode())
    loaded = pipeline.validate(recipe, operator())
    if as_json:
        write_json({"recipe": str(recipe), "name": loaded.recipe.name, "mapping": list(guess.explanation)})
        return
    for line in guess.explanation:
        tell(f"  {line}")
    write(f"wrote {recipe}")
    tell(f"See what it makes: {command('preview', str(recipe))}")


def _beside(data: Path) -> Path:
    """The name of a recipe for a data file: without the suffixes of its format and packing."""
    plain = data.with_suffix("") if compression_of(data) and data.stem else data
    return plain.with_suffix(".recipe.yaml" if plain.suffix == ".yaml" else ".yaml")


def _check_names(data: Path, recipe: Path) -> None:
    """Refuse, before anything is written, names that a recipe cannot hold. Raises RunnerError."""
    for path in (data, recipe):
        if one_line(path.name, limit=1_000) != path.name:
            raise RunnerError(
                f"{one_line(path.name)}: found a file name with control or hidden characters, expected "
                "visible ones. Rename the file."
            )
    if is_pattern(data.name):
        raise RunnerError(
            f"{data}: found a file name with *, ? or [, which make a pattern of a path in a recipe. "
            "Rename the file."
        )
