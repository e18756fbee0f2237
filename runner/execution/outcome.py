"""What became of a job, or of a run that was interrupted, for the person who started it."""

from runner.execution.journal import Journal
from runner.hints import command
from runner.lock.lockfile import LockedRun
from runner.planning.value import CreateJob, Planned
from runner.providers.base import Job


def failure(job: Job, *, events: str, retry: str) -> str:
    """Why a job did not succeed, and what to do; `events` and `retry` are commands to type."""
    if job.status == "cancelled":
        return f"job {job.id} was cancelled. {retry} starts a new attempt."
    reason = f"{job.error.code}: {job.error.message}" if job.error else "the provider gives no reason."
    return f"job {job.id} failed: {reason}\n{events} shows what happened; {retry} starts a new attempt."


def interruption(planned: Planned, journal: Journal, name: str) -> str:
    """What an interrupted start had sent and had not; `name` is the command that was interrupted."""
    again = planned.loaded.command(name)
    if not journal.n_intended:
        return f"interrupted; nothing was sent for {planned.loaded.run_name}. {again} starts again."
    creation = next(step for step in planned.plan.steps if isinstance(step, CreateJob))
    job = journal.outcome("job", creation.key)
    if job is None:
        return (
            f"interrupted before the job was created. Files that reached {planned.host.name} stay there and "
            f"are used again. {again} goes on."
        )
    if job == "unknown":
        return (
            f"interrupted while the job was being created at {planned.host.name}, so it may exist. "
            f"{again} looks for it before anything is sent again."
        )
    if name == "run":
        return detached(job, watch=planned.loaded.command("watch"), cancel=planned.loaded.command("cancel"))
    # The lockfile has the job before, so this one is told by its ID.
    return detached(job, watch=again, cancel=command("cancel", job, provider=planned.host.name))


def detached(job_id: str, *, watch: str, cancel: str) -> str:
    """That a command was interrupted and its job goes on; `watch` and `cancel` are commands to type."""
    return f"interrupted; {goes_on(job_id, watch=watch, cancel=cancel)}"


def goes_on(job_id: str, *, watch: str, cancel: str) -> str:
    """That a job goes on without being followed; `watch` and `cancel` are commands to type."""
    return f"job {job_id} goes on. {watch} attaches again, {cancel} stops it."


def gone(job_id: str, host: str, again: str) -> str:
    """That a job which was being followed is not known any more; `again` is a command to type."""
    if host == "local":
        cause = "its state in .finetune was removed or replaced while it ran, and with it what it had trained"
    else:
        cause = "it was deleted there, or belongs to another key or project"
    return f"job {job_id} is not known at {host} any more: {cause}. {again} says what is left to do."


def weights_warning(before: LockedRun, after: LockedRun) -> str | None:
    """A warning when a platform that the lock has a hash for did not reproduce the weights."""
    old = before.job.weights if before.job else {}
    new = after.job.weights if after.job else {}
    differing = sorted(platform for platform in old.keys() & new.keys() if old[platform] != new[platform])
    if not differing:
        return None
    return (
        f"warning: the weights differ from those the lockfile had for {differing[0]}. "
        "The training did not reproduce; compare the versions of the installed packages."
    )
