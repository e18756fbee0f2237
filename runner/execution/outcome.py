"""What a finished job means for the person who started it."""

from runner.lockfile import LockedRun
from runner.providers.base import Job


def failure(job: Job) -> str:
    """Why a job did not succeed, and what to do."""
    if job.status == "cancelled":
        return f"job {job.id} was cancelled. `finetune run --retry` starts a new attempt."
    reason = f"{job.error.code}: {job.error.message}" if job.error else "the provider gives no reason."
    return (
        f"job {job.id} failed: {reason}\n"
        f"`finetune events {job.id}` shows what happened; `finetune run --retry` starts a new attempt."
    )


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
