"""The command that tells, cheaply, whether lockfiles still speak of their recipes."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from runner.cli.host_options import user_hosts
from runner.cli.options import (
    LOCK_SUFFIX,
    find_recipes,
    is_lock,
    json_option,
    recipes_argument,
    write,
    write_json,
)
from runner.errors import InvalidInputError, RunnerError, StaleLockError
from runner.issues import Issue, Place
from runner.lock.lockfile import read_lockfile
from runner.planning.drift import Difference
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import load_profiles
from runner.report.machine import difference_data, error_data
from runner.review.staleness import Staleness, find_staleness


@click.command("lock-check")
@recipes_argument
@json_option
def lock_check(recipes: tuple[Path, ...], as_json: bool) -> None:
    """Compare recipes and the hashes of their files with their lockfiles; exit with 6 where one is stale.

    RECIPES are recipes or lockfiles; without any, all recipes here and in recipes/. Every locked profile is
    compared. Nothing is rendered or sent: `finetune verify` also rebuilds the dataset. Where the data is not
    on this machine the rest is compared, and the output says so.
    """
    checked: list[Checked] = []
    problems: list[Issue] = []
    for path in _unique(map(_recipe_of, find_recipes(recipes))):
        try:
            checked.append(_check(path))
        except InvalidInputError as error:
            problems += error.issues
        except RunnerError as error:
            message = str(error).removeprefix(f"{path}: ")
            problems.append(Issue(place=Place(file=str(path)), message=message))
    is_stale = any(item.is_stale for item in checked)
    if as_json:
        _write_data(checked, problems, is_stale=is_stale)
    else:
        for item in checked:
            write("\n".join(_lines(item)))
    if problems:
        raise click.exceptions.Exit(1) if as_json else InvalidInputError(problems)
    if is_stale:
        raise click.exceptions.Exit(StaleLockError.exit_code)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A lockfile compared with its recipe; `unusable` says why there is nothing to compare."""

    lock: str
    runs: tuple[Staleness, ...] = ()
    unusable: str | None = None

    @property
    def is_stale(self) -> bool:
        """Whether anything differs, or the lockfile cannot be used."""
        return self.unusable is not None or any(run.differences for run in self.runs)


def _unique(paths: Iterable[Path]) -> list[Path]:
    """The paths as they were named, those of one file once."""
    return list({path.resolve(): path for path in paths}.values())


def _recipe_of(path: Path) -> Path:
    """A recipe as it was named, or the recipe of a lockfile."""
    return path.with_name(f"{path.name.removesuffix(LOCK_SUFFIX)}.yaml") if is_lock(path) else path


def _check(path: Path) -> Checked:
    profiles = load_profiles(path)
    default = profiles[DEFAULT_PROFILE]
    lock = default.lock_file
    try:
        runs = read_lockfile(default.lock_path).runs
    except StaleLockError as error:
        return Checked(lock=lock, unusable=str(error))
    called = {each.run_key: each for loaded in profiles.values() for each in (loaded, *loaded.combinations)}
    found = [
        find_staleness(called[name], run, user_hosts()) if name in called else _gone(name)
        for name, run in sorted(runs.items())
    ]
    return Checked(lock=lock, runs=tuple(found))


def _gone(name: str) -> Staleness:
    what = "the combination" if "[" in name else "the profile"
    return Staleness(profile=name, differences=(Difference(stage="recipe", name=what, what="is gone"),))


def _lines(checked: Checked) -> Iterator[str]:
    if checked.unusable is not None:
        yield checked.unusable
    elif not checked.runs:
        yield f"{checked.lock}: nothing is locked yet; `finetune run` does it"
    for run in checked.runs:
        start = f"{checked.lock}: {run.profile}"
        yield from (f"{start}: {difference}" for difference in run.differences)
        yield from (f"{start}: not compared, {what}" for what in run.unchecked)
        if not run.differences:
            yield f"{start}: {'the rest is ' if run.unchecked else ''}as locked"


def _write_data(checked: list[Checked], problems: list[Issue], *, is_stale: bool) -> None:
    locks = [
        {"lock": item.lock, "unusable": item.unusable, "runs": [_run_data(run) for run in item.runs]}
        for item in checked
    ]
    data = {"ok": not (problems or is_stale), "locks": locks}
    if problems:
        data["error"] = error_data(InvalidInputError(problems))
    write_json(data)


def _run_data(run: Staleness) -> dict[str, Any]:
    return {**asdict(run), "differences": [difference_data(item) for item in run.differences]}
