"""Follows a job to its end, and locks what came of it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from runner.errors import DetachedError, JobFailedError, ProviderError, RunnerError
from runner.execution.blamed_examples import blamed_examples
from runner.execution.history import history_of
from runner.execution.locking import with_result
from runner.execution.outcome import detached, failure, gone, weights_warning
from runner.execution.polling import poll_s
from runner.execution.requests import locked_request
from runner.execution.truth import Witness
from runner.execution.watching import Update, follow
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator
from runner.planning.value import Planned
from runner.providers.base import Job, NotFoundError
from runner.providers.hosts import Host, find_host
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.running.state import provider_of, try_to_save
from runner.sharing.webhook import send


class Console(Protocol):
    """How a run speaks with the person who started it."""

    def confirm(self, plans: Sequence[Planned]) -> bool:
        """Ask before anything is sent, for all jobs at once; plans without cost need no question."""

    def say(self, message: str) -> None:
        """Tell what is being done."""

    def show(self, update: Update) -> None:
        """Show a job's progress."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A job to follow: the run it is locked in, and an earlier success that its failure must not replace.

    `replaces` is the job that stood in the lockfile before it. `watch` and `cancel` are commands to type.
    """

    loaded: LoadedRecipe
    host: Host
    run: LockedRun
    watch: str
    cancel: str
    before: LockedRun | None = None
    replaces: str | None = None


def no_job(loaded: LoadedRecipe) -> RunnerError:
    """That a recipe was not run yet, and what to type; one error, so that every command has one exit code."""
    return RunnerError(
        f"no job was started under the profile '{loaded.run_key}'. {loaded.command('run')} starts one."
    )


def watch(path: Path, operator: Operator, console: Console) -> LockedRun:
    """Follow the job in the lockfile to its end and lock the result; sources need not be there."""
    loaded = single(load_recipe(path, operator.profile), operator.only)
    locked = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    if locked is None or locked.job is None:
        raise no_job(loaded)
    host = find_host(locked.job.provider, operator.user_hosts, loaded.project)
    followed = _followed(loaded, host, locked)
    if locked.job.status == "succeeded":
        followed = replace(followed, before=locked)
    return _follow(followed, operator, console)


def follow_started(planned: Planned, started: LockedRun, operator: Operator, console: Console) -> LockedRun:
    """Follow a job that was started by a plan to its end and lock the result. Raises JobFailedError."""
    last = planned.locked
    followed = replace(
        _followed(planned.loaded, planned.host, started),
        before=last if planned.plan.repeats_job else None,
        replaces=last.job.id if last is not None and last.job is not None else None,
    )
    return _follow(followed, operator, console)


def follow_job(followed: Followed, operator: Operator, console: Console) -> tuple[LockedRun, Job]:
    """Follow a job to its end; the run with its result goes into the history and is not locked.

    Raises OtherThanAskedError for one that succeeded and says that it trained something else.
    """
    update = _last_update(followed, operator, console)
    if update.job.status == "succeeded":
        _refuse_other_result(followed, update.job, operator)
    finished = with_result(followed.run, update.job, update.checkpoints)
    history_of(followed.loaded, operator.clock).record(followed.loaded.run_key, finished)
    return finished, update.job


def job_failed(loaded: LoadedRecipe, run: LockedRun, job: Job, said: str) -> JobFailedError:
    """What was said of a job that did not succeed, with the rows that its error names."""
    blamed = blamed_examples(loaded, run, job.error) if job.error else ()
    return JobFailedError("\n".join([said, *blamed]))


def _followed(loaded: LoadedRecipe, host: Host, run: LockedRun) -> Followed:
    """How the job of a recipe's last run is followed."""
    watch, cancel = loaded.command("watch"), loaded.command("cancel")
    return Followed(loaded=loaded, host=host, run=run, watch=watch, cancel=cancel)


def _follow(followed: Followed, operator: Operator, console: Console) -> LockedRun:
    finished, job = follow_job(followed, operator, console)
    try:
        return _end(followed, finished, job, operator, console)
    except KeyboardInterrupt:
        raise DetachedError(
            f"interrupted; job {job.id} has ended. {followed.watch} locks its result."
        ) from None


def _end(
    followed: Followed, finished: LockedRun, job: Job, operator: Operator, console: Console
) -> LockedRun:
    loaded, run = followed.loaded, followed.run
    succeeded = job.status == "succeeded"
    # A repetition that fails takes nothing away from the success in the lockfile.
    kept = finished if succeeded or followed.before is None else followed.before
    # Another process may have started the job of a changed recipe meanwhile.
    unsaved = try_to_save(loaded, kept, over=(None, followed.replaces, job.id))
    _tell_webhook(loaded, finished, operator, console)
    if not succeeded:
        events, retry = loaded.command("events"), loaded.command("run", "--retry")
        said = failure(job, events=events, retry=retry)
        raise job_failed(loaded, run, job, "\n".join([said, *unsaved]))
    if unsaved:
        raise RunnerError("\n".join([f"job {job.id} succeeded.", *unsaved]))
    for message in (weights_warning(run, finished), followed.host.deployment):
        if message:
            console.say(message)
    return finished


def _refuse_other_result(followed: Followed, job: Job, operator: Operator) -> None:
    """Hosts may tell of a job that has ended what they did not tell, or told otherwise, when it was made."""
    host, loaded = followed.host, followed.loaded
    asked, files = locked_request(followed.run, host, loaded)
    with closing(provider_of(host, loaded.project, operator)) as provider:
        witness = Witness(provider=provider, host=host.name, restates=host.restates)
        witness.refuse_other_result(job, asked, files, followed.watch)


def _tell_webhook(loaded: LoadedRecipe, run: LockedRun, operator: Operator, console: Console) -> None:
    """Tell the operator's address that a job ended; that it could not be told changes nothing of the job."""
    if operator.webhook is None or run.job is None:
        return
    recipe = loaded.project.name_of(loaded.path)
    try:
        send(run.job, recipe, operator)
    except RunnerError as error:
        console.say(f"warning: {error}")


def _last_update(followed: Followed, operator: Operator, console: Console) -> Update:
    loaded, host, job = followed.loaded, followed.host, followed.run.job
    if job is None:
        raise AssertionError("BUG: nothing to follow")
    update = None
    interval_s = poll_s(is_local=host.is_local)
    try:
        for update in follow(
            lambda: provider_of(host, loaded.project, operator), job.id, operator.clock, interval_s
        ):
            console.show(update)
    except KeyboardInterrupt:
        raise DetachedError(detached(job.id, watch=followed.watch, cancel=followed.cancel)) from None
    except NotFoundError as error:
        raise ProviderError(gone(job.id, host.name, loaded.command("plan"))) from error
    if update is None:
        raise AssertionError("BUG: a job was followed without an update")
    return update
