"""What the lockfile keeps of a run: begun, with its job, with its result, or with the inputs of today."""

from collections.abc import Iterable
from dataclasses import replace

from runner.dataset.value import DatasetFile
from runner.execution.requests import Execution
from runner.lock.lockfile import LockedBase, LockedCheckpoint, LockedFile, LockedJob, LockedRun
from runner.planning.changes import grader_sha256, section_hashes
from runner.planning.value import Plan, Planned
from runner.providers.base import Checkpoint, Job
from runner.providers.hub_models import commit_of
from runner.recipe.model import Recipe


def begun(execution: Execution, plan: Plan, locked: LockedRun | None) -> LockedRun:
    """The run before anything of it is sent: the inputs of today, and what stays of the last run."""
    dataset = execution.dataset
    # A job that goes on was made from these very bytes, so its files keep their IDs.
    before = locked if not plan.creates_job else None
    return LockedRun(
        recipe_sha256=execution.recipe.sha256,
        sections=section_hashes(execution.recipe),
        sources=dataset.sources,
        templates=dataset.templates,
        n_records=dataset.n_records,
        n_near_repeats=dataset.n_near_repeats,
        index=dataset.index,
        training_file=_locked_file(dataset.training_file, before.training_file if before else None),
        validation_file=_locked_file(dataset.validation_file, before.validation_file if before else None)
        if dataset.validation_file
        else None,
        job=locked.job if locked else None,
        evaluation=locked.evaluation if locked else None,
    )


def with_job(execution: Execution, plan: Plan, job: Job, run: LockedRun) -> LockedRun:
    """The run with its job and with the files that this job has, which another process may have sent."""
    training, validation = run.training_file, run.validation_file
    return replace(
        run,
        training_file=replace(training, file_id=job.training_file or training.file_id),
        validation_file=replace(validation, file_id=job.validation_file or validation.file_id)
        if validation
        else None,
        job=_locked_job(execution, plan, job, run.job),
    )


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
        n_near_repeats=dataset.n_near_repeats,
        index=dataset.index,
        training_file=replace(before.training_file, file=dataset.training_file),
        validation_file=_refreshed_file(before.validation_file, dataset.validation_file),
    )


def locked_base(recipe: Recipe, digest: str) -> LockedBase | None:
    """What the lockfile keeps of the recipe whose result is trained further."""
    model = recipe.training.model
    if isinstance(model, str):
        return None
    return LockedBase(recipe=model.recipe, profile=model.profile, digest=digest)


def _refreshed_file(locked: LockedFile | None, file: DatasetFile | None) -> LockedFile | None:
    return replace(locked, file=file) if locked and file else None


def _locked_file(file: DatasetFile, before: LockedFile | None) -> LockedFile:
    return LockedFile(file=file, file_id=before.file_id if before else None)


def _locked_job(execution: Execution, plan: Plan, job: Job, before: LockedJob | None) -> LockedJob:
    training = execution.recipe.training
    # Another attempt is trained from the same inputs, so what other platforms made of them holds.
    same = before is not None and before.digest == plan.digest
    return LockedJob(
        id=job.id,
        provider=training.provider,
        model=training.model if isinstance(training.model, str) else execution.model,
        model_revision=_revision(execution, job),
        base=execution.base,
        model_sha256=execution.model_sha256,
        method=training.method,
        digest=plan.digest,
        attempt=plan.attempt,
        seed=training.seed,
        suffix=training.suffix,
        grader_sha256=grader_sha256(training),
        status=job.status,
        requested=training.hyperparameters.as_dict(),
        options=dict(training.options),
        resolved=dict(job.hyperparameters),
        weights=dict(before.weights) if before and same else {},
    )


def _revision(execution: Execution, job: Job) -> str | None:
    """The commit of a hub model; a tuned model's is that of the job that made it."""
    is_hub = execution.recipe.training.provider == "local" and execution.base is None
    return commit_of(job.model) if is_hub else None
