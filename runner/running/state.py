"""What a run keeps of itself: its journal, its entry in the lockfile, and that it is alone."""

from collections.abc import Collection
from contextlib import AbstractContextManager

from runner.canonical import sha256_of
from runner.execution.journal import Journal, exclusive, serialised
from runner.lock.lockfile import LockedRun, read_lockfile, write_lockfile
from runner.operator import Operator
from runner.project import Project
from runner.providers.base import Provider
from runner.providers.connect import open_provider
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe


def alone(loaded: LoadedRecipe) -> AbstractContextManager[None]:
    """While a job of a recipe is started on this machine, nobody else here starts one."""
    path = loaded.project.make_state() / "locks" / f"{_run_name(loaded)}.lock"
    return exclusive(path, loaded.path.name, loaded.command("watch"))


def journal_of(loaded: LoadedRecipe) -> Journal:
    """The journal of a recipe under a profile."""
    return Journal(loaded.project.make_state() / "journal" / f"{_run_name(loaded)}.jsonl")


def provider_of(host: Host, project: Project, operator: Operator) -> Provider:
    """Connect to a host for a project."""
    state = project.make_state()
    return open_provider(
        host,
        state,
        operator.environment,
        allow_network=operator.allow_network,
        permission=operator.hosts_allowed,
    )


def save_run(loaded: LoadedRecipe, run: LockedRun, *, over: Collection[str | None] = ()) -> bool:
    """Put a run into the lockfile in place of the profile's last one.

    Where `over` names jobs, only if one of them still stands there, with None for no job; returns whether it
    was put.
    """
    name = sha256_of(loaded.lock_file)[:16]
    # Profiles share the file, and two of them may finish at once.
    with serialised(loaded.project.make_state() / "locks" / f"{name}.lock"):
        lockfile = read_lockfile(loaded.lock_path)
        last = lockfile.runs.get(loaded.run_key)
        last_id = last.job.id if last is not None and last.job is not None else None
        if over and last_id not in over:
            return False
        write_lockfile(loaded.lock_path, lockfile.with_run(loaded.run_key, run))
    return True


def try_to_save(loaded: LoadedRecipe, run: LockedRun, *, over: Collection[str | None]) -> list[str]:
    """Save a run; a sentence where it was not, so that what became of the job is told all the same."""
    name = loaded.lock_file
    try:
        if save_run(loaded, run, over=over):
            return []
    except OSError as error:
        watch = loaded.command("watch")
        return [f"{name} could not be written: {error.strerror}. Repair that, then {watch} locks the result."]
    history = loaded.command("history")
    return [f"{name} has another job by now, so this one was not locked. {history} has both."]


def _run_name(loaded: LoadedRecipe) -> str:
    return sha256_of([loaded.project.name_of(loaded.path), loaded.run_key])[:16]
