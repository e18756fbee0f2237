"""The files a dataset is made from, hashed."""

from dataclasses import dataclass
from pathlib import Path

from runner.dataset.hashed_files import HashedFiles
from runner.dataset.value import InputFile
from runner.errors import InvalidInputError, RunnerError
from runner.examples.templates import template_files
from runner.issues import Issue
from runner.project import Project
from runner.recipe.load import LoadedRecipe
from runner.sources.read import find_source_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files a dataset is made from."""

    sources: tuple[InputFile, ...]
    templates: tuple[InputFile, ...]


def find_inputs(loaded: LoadedRecipe, hashed: HashedFiles | None = None) -> Inputs:
    """Find and hash a recipe's source and template files. Raises InvalidInputError, RunnerError.

    Files that `hashed` knows are not read again.
    """
    hashed = hashed or HashedFiles()
    project = loaded.project
    templates = template_files(loaded.recipe, loaded.folder, project).values()
    return Inputs(
        sources=tuple(_input_file(path, project, hashed) for path in dict.fromkeys(find_sources(loaded))),
        templates=tuple(_input_file(path, project, hashed) for path in templates),
    )


def find_sources(loaded: LoadedRecipe) -> list[Path]:
    """The files of all sources in order.

    Raises InvalidInputError that names the lines of the recipe whose files cannot be used.
    """
    found: list[Path] = []
    issues: list[Issue] = []
    for index, source in enumerate(loaded.recipe.sources):
        try:
            found += find_source_files(source, loaded.folder, loaded.project)
        except InvalidInputError as error:
            keys = ("sources", index, *(("path",) if source.path else ()))
            issues += [loaded.issue(keys, f"{issue.place}: {issue.message}") for issue in error.issues]
    if issues:
        raise InvalidInputError(issues)
    return found


def _input_file(path: Path, project: Project, hashed: HashedFiles) -> InputFile:
    name = project.name_of(path)
    try:
        digest, size = hashed.sha256_of(path, name)
    except OSError as error:
        raise RunnerError(f"{path}: cannot be read: {error.strerror}.") from error
    return InputFile(name=name, sha256=digest, size_bytes=size)
