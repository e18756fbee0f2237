"""Writes a recipe from another tool's settings and tells what became of each."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from runner import pipeline
from runner.canonical import write_atomically
from runner.cli.options import operator, tell, write, write_json
from runner.converting.common import Site
from runner.converting.conversion import Note
from runner.converting.convert import convert_file
from runner.errors import InvalidInputError, UsageError
from runner.project import find_project


def import_settings(file: Path, out: Path | None, *, force: bool, as_json: bool) -> None:
    """Write the recipe; what it still lacks is told. Raises RunnerError, UsageError."""
    recipe = out or file.with_name(f"{file.stem}.recipe.yaml")
    if recipe.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{recipe}: expected a name that ends with .yaml for the recipe.")
    if recipe.exists() and recipe.samefile(file):
        raise UsageError(f"{recipe} is the file to import. Name another file for the recipe with --out.")
    if recipe.exists() and not force:
        raise UsageError(f"{recipe} exists already. Name another with --out, or replace it with --force.")
    if not (project := find_project(file)).contains(recipe):
        raise UsageError(f"{recipe} is outside the project of {file}. Name a file inside it with --out.")
    made = convert_file(Site(file=file, recipe=recipe, project=project))
    write_atomically(recipe, made.text.encode())
    problems = _problems(recipe)
    if as_json:
        notes = [asdict(note) for note in made.notes]
        write_json({"recipe": str(recipe), "tool": made.tool, "settings": notes, "problems": problems})
        return
    for line in _lines(made.notes):
        tell(line)
    for problem in problems:
        tell(f"to do       {problem}")
    write(f"wrote {recipe} from settings of {made.tool}")


def _lines(notes: Iterable[Note]) -> Iterator[str]:
    """A line for every setting; lost ones with the same reason share theirs."""
    lost: dict[str, list[str]] = {}
    for note in notes:
        if note.fate == "lost":
            lost.setdefault(note.text, []).append(f"{note.key} {note.value}".rstrip())
        else:
            yield f"{note.fate:<10}  {note.key} → {note.text}"
    yield from (f"{'lost':<10}  {', '.join(settings)}: {reason}" for reason, settings in lost.items())


def _problems(recipe: Path) -> list[str]:
    try:
        pipeline.validate(recipe, operator())
    except InvalidInputError as error:
        return [str(issue) for issue in error.issues]
    return []
