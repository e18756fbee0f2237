"""Runs a plan: every remote effect is recorded before it is sent and looked up when its answer is lost."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from runner.canonical import sha256_file, sha256_of
from runner.clock import Clock
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import ProviderError, RunnerError
from runner.execution.journal import Journal
from runner.lockfile import LockedCheckpoint, LockedFile, LockedJob, LockedRun
from runner.plan import CreateJob, Plan, Planned, ReuseFile, Step, Upload, WatchJob, section_hashes
from runner.providers.base import (
    Checkpoint,
    Job,
    JobRequest,
    NotFoundError,
    OutcomeUnknownError,
    Provider,
    RemoteFile,
)
from runner.recipe.model import Recipe

# A create whose answer was lost is looked for this often before anything is sent again; seconds.
LOOKUP_DELAYS = (0.5, 2.0, 5.0, 10.0)
# How many of the newest files are searched for one uploaded before.
SEARCHED_FILES = 1_000


Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What running a plan needs. `save` stores the run's state in the lockfile after every remote effect."""

    recipe: Recipe
    dataset: Dataset
    provider: Provider
    journal: Journal
    clock: Clock
    save: Callable[[LockedRun], None]
    say: Callable[[str], None]
    model: str
    model_sha256: str | None = None
    allow_network: bool = False


def start(execution: Execution, plan: Plan, locked: LockedRun | None) -> LockedRun:
    """Do the steps of a plan up to a started job, and return the run as it is then locked.

    Raises ProviderError when the provider refuses or cannot be reached; everything done until then is saved
    and found again by the next run.
    """
    run = _fresh_run(execution, locked)
    for step in plan.steps:
        run = _do(execution, plan, step, run)
    return run


def with_result(run: LockedRun, job: Job, checkpoints: Iterable[Checkpoint]) -> LockedRun:
    """The run with what its job came to; hashes of weights from other platforms are kept."""
    if run.job is None:
        raise AssertionError("BUG: a result without a job")
    weights = dict(run.job.weights)
    if job.weights_platform and job.weights_sha256:
        weights[job.weights_platform] = job.weights_sha256
    kept = tuple(LockedCheckpoint(id=item.id, model=item.model, step=item.step) for item in checkpoints)
    locked = replace(
        run.job,
        status=job.status,
        resolved=dict(job.hyperparameters),
        fine_tuned_model=job.fine_tuned_model,
        trained_tokens=job.trained_tokens,
        checkpoints=kept,
        weights=weights,
    )
    return replace(run, job=locked)


def refreshed(planned: Planned) -> LockedRun:
    """The last run with the recipe's and inputs' hashes of today, for a job that they did not change."""
    if planned.locked is None:
        raise AssertionError("BUG: nothing to do without an earlier run")
    dataset, before = planned.dataset, planned.locked
    return replace(
        before,
        recipe_sha256=planned.loaded.recipe.sha256,
        sections=section_hashes(planned.loaded.recipe),
        sources=dataset.sources,
        templates=dataset.templates,
        n_records=dataset.n_records,
        index=dataset.index,
        training_file=replace(before.training_file, file=dataset.training_file),
        validation_file=_refreshed_file(before.validation_file, dataset.validation_file),
    )


def _refreshed_file(locked: LockedFile | None, file: DatasetFile | None) -> LockedFile | None:
    return replace(locked, file=file) if locked and file else None


def _fresh_run(execution: Execution, locked: LockedRun | None) -> LockedRun:
    dataset = execution.dataset
    return LockedRun(
        recipe_sha256=execution.recipe.sha256,
        sections=section_hashes(execution.recipe),
        sources=dataset.sources,
        templates=dataset.templates,
        n_records=dataset.n_records,
        index=dataset.index,
        training_file=LockedFile(file=dataset.training_file),
        validation_file=LockedFile(file=dataset.validation_file) if dataset.validation_file else None,
        job=locked.job if locked else None,
    )


def _do(execution: Execution, plan: Plan, step: Step, run: LockedRun) -> LockedRun:
    if isinstance(step, Upload | ReuseFile):
        file_id = _reused(execution, step) if isinstance(step, ReuseFile) else None
        locked = LockedFile(file=step.file, file_id=file_id or _upload(execution, step))
        if step.role == "training_file":
            return replace(run, training_file=locked)
        return replace(run, validation_file=locked)
    if isinstance(step, CreateJob):
        job = _create_job(execution, plan, step, run)
        run = replace(run, job=_locked_job(execution, plan, job, run.job))
        execution.save(run)
        return run
    if isinstance(step, WatchJob):
        execution.say(f"Following {step.job_id} ({step.reason})")
    return run


def _locked_job(execution: Execution, plan: Plan, job: Job, before: LockedJob | None) -> LockedJob:
    training = execution.recipe.training
    same = before is not None and (before.digest, before.attempt) == (plan.digest, plan.attempt)
    return LockedJob(
        id=job.id,
        provider=training.provider,
        model=training.model,
        model_sha256=execution.model_sha256,
        method=training.method,
        digest=plan.digest,
        attempt=plan.attempt,
        seed=training.seed,
        suffix=training.suffix,
        status=job.status,
        requested=training.hyperparameters.as_dict(),
        resolved=dict(job.hyperparameters),
        weights=dict(before.weights) if before and same else {},
    )


def _reused(execution: Execution, step: ReuseFile) -> str | None:
    try:
        remote = execution.provider.retrieve_file(step.file_id)
    except NotFoundError:
        execution.say(f"{step.file_id} is gone at the provider; uploading it again")
        return None
    return remote.id if remote.size_bytes == step.file.size_bytes else None


def _upload(execution: Execution, step: Upload | ReuseFile) -> str:
    path = _checked_path(execution.dataset, step.file)
    key = _upload_key(execution.recipe, step)
    known = execution.journal.outcome("upload", key)
    if known is not None:
        found = _find_upload(execution, step, known)
        if found is not None:
            execution.journal.done("upload", key, found.id)
            return found.id
    execution.say(f"Uploading {step.filename} ({step.file.size_bytes:,} bytes)")
    execution.journal.intend("upload", key)
    try:
        remote = execution.provider.upload(path, filename=step.filename, key=key)
    except OutcomeUnknownError as error:
        found = _look_repeatedly(execution, lambda: _find_upload(execution, step, "unknown"))
        if found is None:
            raise error
        remote = found
    except ProviderError:
        execution.journal.refused("upload", key)
        raise
    execution.journal.done("upload", key, remote.id)
    return remote.id


def _upload_key(recipe: Recipe, step: Upload | ReuseFile) -> str:
    return sha256_of({"upload": step.filename, "sha256": step.file.sha256, "role": step.role})


def _checked_path(dataset: Dataset, file: DatasetFile) -> Path:
    """What was hashed is what is sent: the file is hashed once more right before."""
    path = dataset.path_of(file)
    try:
        found = sha256_file(path)
    except OSError as error:
        raise RunnerError(f"{path.name}: cannot be read: {error.strerror}. Run the command again.") from error
    if found != file.sha256:
        path.unlink()
        raise RunnerError(f"{path.name}: its content changed after it was built. Run the command again.")
    return path


def _find_upload(execution: Execution, step: Upload | ReuseFile, known: str) -> RemoteFile | None:
    if known != "unknown":
        try:
            return execution.provider.retrieve_file(known)
        except NotFoundError:
            return None
    for remote in execution.provider.list_files(SEARCHED_FILES):
        if (remote.filename, remote.size_bytes) == (step.filename, step.file.size_bytes):
            return remote
    return None


def _create_job(execution: Execution, plan: Plan, step: CreateJob, run: LockedRun) -> Job:
    found = _adopted(execution, step)
    if found is not None:
        return found
    request = _job_request(execution, step, run)
    execution.journal.intend("job", step.key)
    try:
        job = execution.provider.create_job(request)
    except OutcomeUnknownError:
        recovered = _look_repeatedly(execution, lambda: _adopted(execution, step))
        if recovered is None:
            raise
        return recovered
    except ProviderError:
        execution.journal.refused("job", step.key)
        raise
    execution.journal.done("job", step.key, job.id)
    return job


def _adopted(execution: Execution, step: CreateJob) -> Job | None:
    """The job that an earlier run or another machine created for the same key, if there is one."""
    # A success whose model is gone is no result: it is asked for again under the same key.
    found = execution.provider.find_jobs(step.key)
    jobs = [job for job in found if not (step.repeats and job.status == "succeeded")]
    live = [job for job in jobs if job.status not in ("failed", "cancelled")] or jobs
    if not live:
        return None
    if len(live) > 1:
        names = ", ".join(job.id for job in live)
        raise ProviderError(
            f"found {len(live)} live jobs for the same run: {names}. Nothing was started. "
            "Cancel all but one with `finetune cancel JOB`, then run again."
        )
    execution.journal.done("job", step.key, live[0].id)
    execution.say(f"Found {live[0].id}, created before")
    return live[0]


def _job_request(execution: Execution, step: CreateJob, run: LockedRun) -> JobRequest:
    training = execution.recipe.training
    if run.training_file.file_id is None:
        raise AssertionError("BUG: a job before its training file")
    return JobRequest(
        key=step.key,
        model=execution.model,
        method=training.method,
        training_file=run.training_file.file_id,
        validation_file=run.validation_file.file_id if run.validation_file else None,
        hyperparameters=training.hyperparameters.as_dict(),
        seed=training.seed,
        suffix=training.suffix,
        recipe=execution.recipe.name,
        allow_network=execution.allow_network,
    )


def _look_repeatedly(execution: Execution, look: Callable[[], Found | None]) -> Found | None:
    for delay_s in LOOKUP_DELAYS:
        execution.clock.sleep(delay_s)
        found = look()
        if found is not None:
            return found
    return None
