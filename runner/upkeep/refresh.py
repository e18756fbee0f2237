"""Brings the lockfile up to date with what the providers say now of its jobs."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import MissingExtraError, ProviderError
from runner.execution.history import history_of
from runner.execution.locking import with_result
from runner.lock.lockfile import LockedFile, LockedJob, LockedRun, read_lockfile
from runner.operator import Operator
from runner.providers.base import BareNotFoundError, NotFoundError, NotOfferedError, Provider
from runner.providers.hosts import find_host
from runner.providers.local_service import has_job
from runner.recipe.choosing import run_called
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import LoadedRecipe, load_profiles
from runner.running.following import no_job
from runner.running.state import provider_of, save_run
from runner.upkeep.results import changed_values, result_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What became of one profile's locked job; `problem` says why its provider could not be asked."""

    profile: str
    job: str
    provider: str
    changes: tuple[str, ...] = ()
    problem: str | None = None


def refresh(path: Path, operator: Operator, profile: str | None) -> list[Refreshed]:
    """Read the locked jobs of one profile, or of all, at their providers and lock what they say.

    Raises RunnerError where there is no job, or none of the providers could be asked.
    """
    profiles = load_profiles(path)
    loaded = profiles[DEFAULT_PROFILE]
    runs = {
        name: run
        for name, run in read_lockfile(loaded.lock_path).runs.items()
        if run.job is not None and profile in (None, name, name.partition("[")[0])
    }
    if not runs:
        raise no_job(replace(loaded, profile=profile or loaded.profile))
    done = [_refresh_run(run_called(profiles, name), run, operator) for name, run in sorted(runs.items())]
    if all(one.problem for one in done):
        raise ProviderError("\n".join(f"{one.profile}: {one.problem}" for one in done))
    return done


def _refresh_run(loaded: LoadedRecipe, run: LockedRun, operator: Operator) -> Refreshed:
    job = run.job
    if job is None:
        raise AssertionError("BUG: nothing to refresh")
    result = Refreshed(profile=loaded.run_key, job=job.id, provider=job.provider)
    try:
        after = _asked(loaded, run, job, operator)
    except (ProviderError, MissingExtraError) as error:
        return replace(result, problem=str(error))
    changes = _changes(run, after)
    if changes and save_run(loaded, after, over=(job.id,)):
        history_of(loaded, operator.clock).record(loaded.run_key, after)
    return replace(result, changes=tuple(changes))


def _asked(loaded: LoadedRecipe, run: LockedRun, job: LockedJob, operator: Operator) -> LockedRun:
    host = find_host(job.provider, operator.user_hosts, loaded.project)
    if host.is_local and not has_job(loaded.project.state, job.id):
        raise ProviderError(
            f"{job.id} was trained on another machine; {loaded.command('run')} trains it here."
        )
    with closing(provider_of(host, loaded.project, operator)) as provider:
        try:
            after = _with_result(run, job, provider)
        except BareNotFoundError as error:
            raise ProviderError(f"{host.name} does not offer to look a job up ({error}).") from error
        except NotFoundError as error:
            raise ProviderError(f"{error}. The lockfile keeps what it says of {job.id}.") from error
        validation = after.validation_file
        return replace(
            after,
            training_file=_without_gone(after.training_file, provider),
            validation_file=_without_gone(validation, provider) if validation else None,
        )


def _with_result(run: LockedRun, job: LockedJob, provider: Provider) -> LockedRun:
    now = provider.retrieve_job(job.id)
    try:
        return with_result(run, now, provider.list_checkpoints(job.id))
    except (NotFoundError, NotOfferedError):
        after = with_result(run, now, ())
        return replace(after, job=replace(after.job, checkpoints=job.checkpoints) if after.job else None)


def _without_gone(locked: LockedFile, provider: Provider) -> LockedFile:
    if locked.file_id is None:
        return locked
    try:
        provider.retrieve_file(locked.file_id)
    except (BareNotFoundError, NotOfferedError):
        return locked
    except NotFoundError:
        return replace(locked, file_id=None)
    return locked


def _changes(before: LockedRun, after: LockedRun) -> list[str]:
    if before.job is None or after.job is None:
        raise AssertionError("BUG: a refresh without a job")
    changes = changed_values(result_of(before.job), result_of(after.job))
    pairs = (
        ("training_file", before.training_file, after.training_file),
        ("validation_file", before.validation_file, after.validation_file),
    )
    for name, old, new in pairs:
        if old and new and old.file_id != new.file_id:
            changes.append(f"{name} {old.file_id} is gone")
    return changes
