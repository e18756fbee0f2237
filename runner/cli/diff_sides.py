"""What `finetune diff` compares: names on the command line to recipes, locked runs and what is not there."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from runner import pipeline
from runner.building import build_yardstick
from runner.cli.options import LOCK_SUFFIX, find_recipe, is_lock
from runner.errors import RunnerError, UnknownProfileError, UsageError
from runner.lock.lockfile import LockedRun, Lockfile, read_lockfile
from runner.operator import Operator
from runner.project import find_project
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe, load_profiles
from runner.review.build import Task
from runner.review.compare import Subject
from runner.review.git import Revision, find_revision
from runner.review.indexed import Indexed, indexed_run
from runner.review.revision import lock_at, recipe_at
from runner.sources.supply import lend
from runner.token_counts import choose_counter

WORKING_TREE = "working tree"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One side as it was asked for: a file, or with `revision` one in git; `is_exact` if it was named."""

    path: Path
    label: str
    revision: Revision | str | None = None
    is_exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One side as it was found: a recipe, a locked run, or nothing and the reason why."""

    label: str
    state: Path
    loaded: LoadedRecipe | None = None
    lock: Lockfile | None = None
    run: LockedRun | None = None
    task: Task | None = None
    absence: str = "no recipe"
    other_profiles: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        """What its settings are read from."""
        return Subject(recipe=self.loaded.recipe if self.loaded else None, run=self.run)

    @property
    def part(self) -> Task | Indexed | None:
        """What its conversations come from."""
        return indexed_run(self.run, self.state / "datasets") if self.run is not None else self.task

    def subjects(self) -> dict[str, Subject]:
        """What there is under every profile."""
        if self.lock is not None:
            return {name: Subject(run=run) for name, run in self.lock.runs.items()}
        if self.loaded is None:
            return {}
        profiles = load_profiles(self.loaded.path)
        return {name: Subject(recipe=loaded.recipe) for name, loaded in profiles.items()}


def choose_sides(
    before: str | None, after: str | None, recipe: Path | None, decided: Operator
) -> tuple[Reference, Reference]:
    """The two sides that were asked for. Raises UsageError, RunnerError."""
    first, second = (_file(name, decided) if name else None for name in (before, after))
    if first is not None and after is None:
        if first.revision is not None:
            second = Reference(path=first.path, label=WORKING_TREE)
        elif not is_lock(first.path):
            recipe, first, before = first.path, None, None
    named = next((side.path for side in (second, first) if side is not None), None)
    subject = recipe or (
        _recipe_of(named) if named else find_recipe(None, "Name the one to compare with --recipe.")
    )
    return (
        first or Reference(path=subject, label=before or "HEAD", revision=before or "HEAD"),
        second or Reference(path=subject, label=after or WORKING_TREE, revision=after),
    )


def open_side(side: Reference, decided: Operator, folder: Path) -> Opened:
    """Find what a side is; a revision's files go into a new folder. Raises RunnerError."""
    if side.revision is not None:
        return _open_revision(side, side.revision, decided, folder)
    state = find_project(side.path.resolve().parent).state
    if not side.path.exists():
        return Opened(label=side.label, state=state)
    if is_lock(side.path):
        return _open_lock(side.label, side.path, decided, state)
    try:
        profile = _profile_of(decided.profile)
        loaded = _run_of(pipeline.validate(side.path, replace(decided, profile=profile)), decided.profile)
    except UnknownProfileError as error:
        return _without_profile(side.label, state, decided, error.known)
    return Opened(label=side.label, state=state, loaded=loaded, task=_task(loaded, decided, state))


def _file(name: str, decided: Operator) -> Reference | None:
    """The file that a name stands for, here or in git as REVISION:PATH; None for a revision."""
    if name.endswith(_SUFFIXES) and Path(name).is_file():
        return Reference(path=Path(name), label=name, is_exact=True)
    before, colon, path = name.partition(":")
    if colon and path:
        revision = find_revision(Path.cwd(), before, decided.environment)
        # As git has it: from the top of the repository, unless it begins with a dot.
        start = Path.cwd() if path.startswith(("./", "../")) else revision.root
        label = f"{name} ({revision.commit[:10]})"
        return Reference(
            path=Path(os.path.normpath(start / path)), label=label, revision=revision, is_exact=True
        )
    if name.endswith(_SUFFIXES):
        raise UsageError(
            f"found no file {name}, expected a recipe, a lockfile, a git revision or REVISION:PATH."
        )
    return None


def _profile_of(run_key: str) -> str:
    return run_key.partition("[")[0]


def _run_of(loaded: LoadedRecipe, run_key: str) -> LoadedRecipe:
    """The recipe, or that combination of its matrix which the lockfile calls so."""
    runs = {each.run_key: each for each in (*loaded.combinations, loaded)}
    if run_key not in runs:
        raise UnknownProfileError(f"{loaded.file} has no run '{run_key}'.", known=runs)
    return runs[run_key]


def _recipe_of(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(LOCK_SUFFIX)}.yaml") if is_lock(path) else path


def _open_revision(side: Reference, named: Revision | str, decided: Operator, folder: Path) -> Opened:
    path = side.path.resolve()
    start = next(parent for parent in path.parents if parent.is_dir())
    revision = named if isinstance(named, Revision) else find_revision(start, named, decided.environment)
    label = side.label if side.is_exact else revision.label
    state = find_project(start).state
    folder.mkdir()
    if is_lock(path):
        lock = lock_at(revision, path, folder)
        return _open_lock(label, lock, decided, state) if lock else Opened(label=label, state=state)
    try:
        found = recipe_at(revision, path, _profile_of(decided.profile), folder)
        loaded = _run_of(found, decided.profile) if found else None
    except UnknownProfileError as error:
        return _without_profile(label, state, decided, error.known)
    if loaded is None:
        return Opened(label=label, state=state)
    lend(loaded.recipe.sources, find_project(start), loaded.project)
    try:
        return Opened(label=label, state=state, loaded=loaded, task=_task(loaded, decided, state))
    except RunnerError as error:
        raise RunnerError(f"{label}: {error}") from error


def _open_lock(label: str, path: Path, decided: Operator, state: Path) -> Opened:
    lock = read_lockfile(path)
    if decided.profile in lock.runs:
        return Opened(label=label, state=state, lock=lock, run=lock.runs[decided.profile])
    return _without_profile(label, state, decided, lock.runs)


def _without_profile(label: str, state: Path, decided: Operator, known: Iterable[str]) -> Opened:
    absence = f"no profile '{decided.profile}'"
    return Opened(label=label, state=state, absence=absence, other_profiles=tuple(known))


def _task(loaded: LoadedRecipe, decided: Operator, state: Path) -> Task:
    host = find_host(loaded.recipe.training.provider, decided.user_hosts, loaded.project)
    limits, counter = build_yardstick(loaded, host)
    exact = choose_counter(loaded, host, decided).exact
    return Task(
        loaded=loaded,
        host=host,
        limits=limits,
        counter=counter,
        state=state,
        exact=exact,
        watch=decided.watch,
    )
