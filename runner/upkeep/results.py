"""What came of a job, by name, so that two results can be compared."""

from typing import Any

from runner.lock.lockfile import LockedJob


def result_of(job: LockedJob) -> dict[str, Any]:
    """Everything the lockfile holds of a job that its provider said."""
    return {
        **reproducible_result(job),
        "fine_tuned_model": job.fine_tuned_model,
        "checkpoints": ", ".join(checkpoint.id for checkpoint in job.checkpoints) or None,
    }


def reproducible_result(job: LockedJob) -> dict[str, Any]:
    """The part of a result that the same inputs should give again: all but the job's own names."""
    return {
        "status": job.status,
        **job.resolved,
        "trained_tokens": job.trained_tokens,
        **{f"weights of {platform}": digest for platform, digest in job.weights.items()},
    }


def changed_values(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The values that differ, such as `status running → succeeded`, in the order of the names."""
    names = list(dict.fromkeys([*before, *after]))
    return [
        f"{name} {_shown(before.get(name))} → {_shown(after.get(name))}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
