"""Repeats a locked job from exactly what the lockfile says, and compares what comes of it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from runner.errors import JobFailedError, RunnerError
from runner.execution.comparison import Comparison, compare_results, final_losses
from runner.execution.history import history_of
from runner.execution.journal import Journal
from runner.execution.outcome import failure
from runner.hints import command
from runner.lock.lockfile import LockedJob, LockedRun, parse_job, read_lockfile
from runner.operator import Operator
from runner.pipeline import plan_loaded, validate
from runner.planning.drift import refuse_drift
from runner.planning.plan import job_key
from runner.planning.value import CreateJob, Planned
from runner.providers.base import Job
from runner.providers.statuses import TERMINAL
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe
from runner.running.following import Console, Followed, follow_job, job_failed, no_job
from runner.running.refusals import refuse_unfit
from runner.running.start import start_job
from runner.running.state import alone, journal_of, provider_of, save_run


def rerun(
    path: Path, operator: Operator, console: Console, report: Callable[[Comparison], None]
) -> Comparison:
    """Start a new attempt of the locked job, follow it, report how its result compares, and lock it.

    An earlier rerun that was cut off is taken up again. Raises StaleLockError where the recipe or its inputs
    are not as locked, JobFailedError where the new job fails, and what `run` raises.
    """
    loaded = single(validate(path, operator), operator.only)
    with alone(loaded):
        locked = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
        job = _repeatable(loaded, locked)
        attempt = _attempt(journal_of(loaded), job)
        planned = plan_loaded(loaded, replace(operator, locked=True), rerun=attempt)
        refuse_drift(planned)
        refuse_unfit(planned, operator)
        if not console.confirm([planned]):
            raise RunnerError("not confirmed; nothing was sent.")
        key = _key(planned)
        journal_of(loaded).intend("rerun", key)
        started = start_job(planned, operator, console, reruns=True)
    finished, ended = follow_job(_followed(planned, started), operator, console)
    if ended.status != "succeeded":
        journal_of(loaded).done("rerun", key, ended.id)
        options = {"provider": planned.host.name}
        said = failure(ended, events=command("events", ended.id, **options), retry=loaded.command("rerun"))
        raise job_failed(loaded, started, ended, said)
    comparison = _compared(planned, job, finished, ended, operator)
    # Told before it is locked: whoever is cut off in between is told again.
    report(comparison)
    lock = loaded.lock_file
    if save_run(loaded, finished, over=(job.id,)):
        console.say(f"locked in {lock}; {loaded.command('history')} has the job before")
    else:
        console.say(f"{lock} has another job by now; {ended.id} was not locked")
    journal_of(loaded).done("rerun", key, ended.id)
    return comparison


def _repeatable(loaded: LoadedRecipe, locked: LockedRun | None) -> LockedJob:
    if locked is None or locked.job is None:
        raise no_job(loaded)
    job = locked.job
    if job.status not in TERMINAL:
        raise RunnerError(f"job {job.id} is still {job.status}. {loaded.command('watch')} follows it.")
    if job.status != "succeeded":
        raise JobFailedError(
            f"job {job.id} is {job.status}, so there is no result to reproduce. "
            f"{loaded.command('run', '--retry')} starts a new attempt."
        )
    return job


def _attempt(journal: Journal, job: LockedJob) -> int:
    """The attempt of a rerun that was cut off, or the next one that no rerun has used up."""
    if journal.outcome("rerun", job_key(job.digest, job.attempt)) == "unknown":
        return job.attempt
    attempt = job.attempt + 1
    while journal.outcome("rerun", job_key(job.digest, attempt)) not in (None, "unknown"):
        attempt += 1
    return attempt


def _key(planned: Planned) -> str:
    return next(step.key for step in planned.plan.steps if isinstance(step, CreateJob))


def _followed(planned: Planned, started: LockedRun) -> Followed:
    if started.job is None:
        raise AssertionError("BUG: a rerun without a job")
    return Followed(
        loaded=planned.loaded,
        host=planned.host,
        run=started,
        watch=planned.loaded.command("rerun"),
        cancel=command("cancel", started.job.id, provider=planned.host.name),
    )


def _compared(
    planned: Planned, locked: LockedJob, finished: LockedRun, ended: Job, operator: Operator
) -> Comparison:
    if finished.job is None:
        raise AssertionError("BUG: a rerun without a job")
    before = locked if locked.id != ended.id else _before(planned.loaded, locked, operator)
    with closing(provider_of(planned.host, planned.loaded.project, operator)) as provider:
        losses = final_losses(provider, before.id), final_losses(provider, ended.id)
    return compare_results(before, finished.job, ended, losses)


def _before(loaded: LoadedRecipe, locked: LockedJob, operator: Operator) -> LockedJob:
    """The job that a rerun repeated which is locked already, because the command was cut off right after."""
    for past in history_of(loaded, operator.clock).runs():
        same = (past.profile, past.job.get("digest")) == (loaded.run_key, locked.digest)
        if same and past.job["id"] != locked.id and past.job.get("status") == "succeeded":
            return parse_job(past.job)
    return locked
