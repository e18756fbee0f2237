"""The files a dataset is made from, hashed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.dataset.hashed_files import HashedFiles
from runner.dataset.value import InputFile
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue
from runner.project import Project
from runner.recipe.inline import may_read_templates
from runner.recipe.load import LoadedRecipe
from runner.sources.find import find_source_files

if TYPE_CHECKING:
    from concurrent.futures import Future


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
    templates = find_templates(loaded, hashed)
    project = loaded.project
    return Inputs(
        sources=tuple(_input_file(path, project, hashed) for path in dict.fromkeys(find_sources(loaded))),
        templates=templates,
    )


def find_templates(loaded: LoadedRecipe, hashed: HashedFiles) -> tuple[InputFile, ...]:
    """Find and hash a recipe's template files alone. Raises InvalidInputError, RunnerError."""
    if not may_read_templates(loaded.recipe):
        return ()
    from runner.examples.templates import template_files

    files = template_files(loaded.recipe, loaded.folder, loaded.project).values()
    return tuple(_input_file(path, loaded.project, hashed) for path in files)


def hashed(inputs: "Inputs | Future[Inputs]") -> Inputs:
    """The inputs, as soon as they are hashed. Raises as `find_inputs`."""
    return inputs if isinstance(inputs, Inputs) else inputs.result()


def source_sizes(loaded: LoadedRecipe) -> dict[Path, int]:
    """The files of all sources in order, with their sizes. Raises as `find_sources`, and RunnerError."""
    sizes: dict[Path, int] = {}
    for path in find_sources(loaded):
        try:
            sizes[path] = path.stat().st_size
        except OSError as error:
            raise _unreadable(path, error) from error
    return sizes


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
        raise _unreadable(path, error) from error
    return InputFile(name=name, sha256=digest, size_bytes=size)


def _unreadable(path: Path, error: OSError) -> RunnerError:
    return RunnerError(f"{path}: cannot be read: {error.strerror}.")
