"""The files a dataset is made from, hashed."""

from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_file
from runner.dataset.value import InputFile
from runner.errors import RunnerError
from runner.examples.templates import template_files
from runner.project import Project
from runner.recipe.load import LoadedRecipe
from runner.sources.read import find_source_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files a dataset is made from."""

    sources: tuple[InputFile, ...]
    templates: tuple[InputFile, ...]


def find_inputs(loaded: LoadedRecipe) -> Inputs:
    """Find and hash a recipe's source and template files. Raises InvalidInputError, RunnerError."""
    recipe, folder, project = loaded.recipe, loaded.folder, loaded.project
    sources = [path for source in recipe.sources for path in find_source_files(source, folder, project)]
    templates = template_files(recipe, folder, project).values()
    return Inputs(
        sources=tuple(_input_file(path, project) for path in dict.fromkeys(sources)),
        templates=tuple(_input_file(path, project) for path in templates),
    )


def _input_file(path: Path, project: Project) -> "InputFile":
    try:
        digest, size = sha256_file(path), path.stat().st_size
    except OSError as error:
        raise RunnerError(f"{path}: cannot be read: {error.strerror}.") from error
    return InputFile(name=project.name_of(path), sha256=digest, size_bytes=size)
