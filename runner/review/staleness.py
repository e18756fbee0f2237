"""Whether a lockfile still speaks of its recipe, by the hashes of recipe and files; nothing is rendered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_file
from runner.dataset.value import InputFile
from runner.errors import InvalidInputError, RunnerError
from runner.examples.templates import template_files
from runner.lock.lockfile import LockedRun
from runner.planning.changes import section_hashes, training_changes
from runner.planning.drift import Difference, file_differences
from runner.project import Project
from runner.providers.checks import base_model
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe
from runner.sources.find import find_source_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """What differs from one locked run; `unchecked` says what is not on this machine to be compared."""

    profile: str
    differences: tuple[Difference, ...] = ()
    unchecked: tuple[str, ...] = ()


def find_staleness(loaded: LoadedRecipe, run: LockedRun, user_hosts: Path | None) -> Staleness:
    """Compare a recipe under one profile with its locked run. Needs no network and reads each file once."""
    unchecked: list[str] = []
    # A job that was imported with other files does not say what these were made from.
    inputs = _inputs(loaded, run, unchecked) if run.sections else ()
    found = [*inputs, *_asked(loaded, run, user_hosts, unchecked)]
    return Staleness(profile=loaded.run_key, differences=tuple(found), unchecked=tuple(unchecked))


def _inputs(loaded: LoadedRecipe, run: LockedRun, unchecked: list[str]) -> Iterator[Difference]:
    recipe, folder, project = loaded.recipe, loaded.folder, loaded.project
    try:
        paths = [path for source in recipe.sources for path in find_source_files(source, folder, project)]
        yield from file_differences("source", run.sources, _hashed(paths, project))
    except InvalidInputError as error:
        unchecked += [f"{issue.place}: {issue.message}" for issue in error.issues]
    templates = template_files(recipe, folder, project).values()
    yield from file_differences("template", run.templates, _hashed(templates, project))
    for section, digest in section_hashes(recipe).items():
        if run.sections.get(section) != digest:
            yield Difference(stage="recipe", name=f"`{section}`", what="changed")


def _hashed(paths: Iterable[Path], project: Project) -> tuple[InputFile, ...]:
    return tuple(
        InputFile(name=project.name_of(path), sha256=sha256_file(path), size_bytes=path.stat().st_size)
        for path in dict.fromkeys(paths)
    )


def _asked(
    loaded: LoadedRecipe, run: LockedRun, user_hosts: Path | None, unchecked: list[str]
) -> Iterator[Difference]:
    if run.job is None:
        yield Difference(stage="job", name="none", what="was started")
        return
    try:
        host = find_host(loaded.recipe.training.provider, user_hosts, loaded.project)
        # A tuned model's files follow from its job's digest, which takes a dataset to know.
        model_sha256 = None if loaded.base else base_model(loaded, host).sha256()
    except RunnerError as error:
        said = error.issues[0].message if isinstance(error, InvalidInputError) else str(error)
        unchecked.append(f"the files of {loaded.recipe.training.model}: {said}")
        model_sha256 = run.job.model_sha256
    if loaded.base:
        unchecked.append(f"{loaded.recipe.training.model}; {loaded.command('verify')} compares it")
    for change in training_changes(loaded.recipe, run.job, model_sha256):
        yield Difference(stage="job", name=change, what="since it was locked")
