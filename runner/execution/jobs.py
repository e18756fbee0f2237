"""Finds the job of a job key and keeps one where there are two."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runner.errors import ProviderError
from runner.execution.journal import Journal
from runner.providers.base import (
    JOB_KEY_METADATA,
    ConnectionLostError,
    Job,
    NotFoundError,
    Provider,
    ServerFaultError,
)
from runner.providers.statuses import WITHOUT_RESULT

# How many of the newest jobs and files are searched where the training file alone identifies a job.
SEARCHED = 1_000


class AmbiguousJobError(ProviderError):
    """More than one job may be the one that was asked for; only a person can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtJob:
    """A job that may exist at the provider called `host`.

    `repeats` means that its success is no result, because its model is gone. `training_filename` is set where
    the host keeps no metadata, so that the file uploaded for this job key alone has to identify the job.
    """

    key: str
    host: str
    repeats: bool = False
    training_filename: str | None = None

    def marks(self, job: Job) -> bool:
        """Whether a job carries the key in its metadata."""
        return job.metadata.get(JOB_KEY_METADATA) == self.key


def find_job(
    provider: Provider,
    journal: Journal,
    sought: SoughtJob,
    say: Callable[[str], None],
    *created: Job,
) -> Job | None:
    """The earliest live job of a key, else an ended one, None where there is none; `created` are known ones.

    Later live jobs that carry the same key are cancelled. Raises AmbiguousJobError, and cancels nothing, when
    not all of them do.
    """
    jobs = {job.id: job for job in (*created, *_candidates(provider, journal, sought))}
    found = [job for job in jobs.values() if not (sought.repeats and job.status == "succeeded")]
    live = [job for job in found if job.status not in WITHOUT_RESULT]
    if len(live) > 1 and not all(map(sought.marks, live)):
        raise AmbiguousJobError(
            f"found {len(live)} jobs that may be the one of this run: {_names(live)}. Nothing was cancelled, "
            "and nothing more is started. Cancel all but one with "
            f"`finetune cancel JOB --provider {sought.host}`, then run again."
        )
    kept = min(live or found, key=lambda job: (job.created_at, job.id), default=None)
    for job in live:
        if kept is not None and job.id != kept.id and not job.is_terminal:
            say(f"{job.id} was created for the same run as {kept.id}; keeping {kept.id}, cancelling {job.id}")
            _cancel(provider, job)
    return kept


def refuse_unmarked(provider: Provider, journal: Journal, sought: SoughtJob, training_file: str) -> None:
    """Stop before a create is sent again when a job of its file lost its metadata and may be the first one.

    Raises AmbiguousJobError.
    """
    suspects = [
        job
        for job in _distinct(provider.list_jobs(SEARCHED))
        if job.training_file == training_file and not job.metadata and job.status not in WITHOUT_RESULT
    ]
    if suspects:
        raise AmbiguousJobError(
            f"{_names(suspects)} trains on the same file and carries no job key, so it may be the job whose "
            "creation was not confirmed. Nothing was sent again. "
            f"`finetune cancel JOB --provider {sought.host}` stops it; if it has nothing to do with this "
            f"run, delete {journal.path.name} in .finetune/journal and run again."
        )


def _candidates(provider: Provider, journal: Journal, sought: SoughtJob) -> list[Job]:
    if sought.training_filename is None:
        found = provider.find_jobs(sought.key)
    else:
        found = _jobs_of_file(provider, sought.training_filename)
    known = journal.outcome("job", sought.key)
    if known in (None, "unknown") or known in [job.id for job in found]:
        return found
    try:
        return [*found, provider.retrieve_job(known)]
    except NotFoundError:
        return found


def _jobs_of_file(provider: Provider, filename: str) -> list[Job]:
    listed = provider.list_files(SEARCHED)
    files = {file.id: file for file in listed if file.filename == filename}
    if not files:
        _refuse_cut_off(len(listed), "files")
        return []
    jobs = _distinct(provider.list_jobs(SEARCHED))
    # A job is younger than its training file: older jobs need not be looked at.
    if all(job.created_at > min(file.created_at for file in files.values()) for job in jobs):
        _refuse_cut_off(len(jobs), "jobs")
    return [job for job in jobs if job.training_file in files]


def _refuse_cut_off(n_listed: int, what: str) -> None:
    if n_listed >= SEARCHED:
        raise AmbiguousJobError(
            "the job of this run cannot be told from others: the provider keeps no metadata and lists "
            f"{n_listed} or more {what}. Delete old ones, or restore the lockfile with git."
        )


def _cancel(provider: Provider, job: Job) -> None:
    try:
        provider.cancel_job(job.id)
    except (ConnectionLostError, ServerFaultError):
        raise
    except ProviderError:
        # A job that ended in the meantime cannot be cancelled, and need not be.
        if not provider.retrieve_job(job.id).is_terminal:
            raise


def _distinct(jobs: Iterable[Job]) -> list[Job]:
    return list({job.id: job for job in jobs}.values())


def _names(jobs: Iterable[Job]) -> str:
    return ", ".join(sorted(job.id for job in jobs))
