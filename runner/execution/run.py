"""Runs a plan: every remote effect is recorded before it is sent and looked up when its answer is lost."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from runner.canonical import sha256_file
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import RunnerError
from runner.execution.files import SoughtFile, find_file, retrieved_file
from runner.execution.jobs import SoughtJob, find_job, refuse_unmarked
from runner.execution.parts import Ledger, upload_in_parts
from runner.execution.readiness import created_when_ready, wait_for_file
from runner.execution.requests import (
    Execution,
    earlier_request,
    job_request,
    sought_file,
    sought_files,
    sought_job,
)
from runner.execution.sending import Lookup, found_before, sent
from runner.lock.lockfile import LockedBase, LockedCheckpoint, LockedFile, LockedJob, LockedRun
from runner.planning.changes import grader_sha256, section_hashes
from runner.planning.value import CreateJob, Plan, Planned, ReuseFile, Step, Upload, WatchJob
from runner.providers.base import (
    Checkpoint,
    ConnectionLostError,
    Job,
    JobRequest,
    RemoteFile,
    ServerFaultError,
)
from runner.providers.hub_models import commit_of
from runner.recipe.model import Recipe

# A create whose answer was lost is looked for this often before anything is sent again; seconds.
LOOKUP_DELAYS = (0.5, 2.0, 5.0, 10.0)


def start(execution: Execution, plan: Plan, locked: LockedRun | None) -> LockedRun:
    """Do the steps of a plan up to a started job, and return the run as it is then locked.

    Raises ProviderError when the provider refuses or cannot be reached; everything done until then is saved
    and found again by the next run.
    """
    run = _fresh_run(execution, plan, locked)
    creation = _creation(plan)
    found = _created_before(execution, plan, creation) if creation else None
    if found is not None:
        return _with_job(execution, plan, found, run)
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


def locked_base(recipe: Recipe, digest: str) -> LockedBase | None:
    """What the lockfile keeps of the recipe whose result is trained further."""
    model = recipe.training.model
    if isinstance(model, str):
        return None
    return LockedBase(recipe=model.recipe, profile=model.profile, digest=digest)


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


def _refreshed_file(locked: LockedFile | None, file: DatasetFile | None) -> LockedFile | None:
    return replace(locked, file=file) if locked and file else None


def _fresh_run(execution: Execution, plan: Plan, locked: LockedRun | None) -> LockedRun:
    dataset = execution.dataset
    # A job that goes on was made from these very bytes, so its files keep their IDs.
    before = locked if _creation(plan) is None else None
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


def _locked_file(file: DatasetFile, before: LockedFile | None) -> LockedFile:
    return LockedFile(file=file, file_id=before.file_id if before else None)


def _creation(plan: Plan) -> CreateJob | None:
    return next((step for step in plan.steps if isinstance(step, CreateJob)), None)


def _created_before(execution: Execution, plan: Plan, step: CreateJob) -> Job | None:
    """The job of an earlier run or of another machine: there is nothing to upload for it."""
    found = found_before(_job_lookup(execution, sought_job(execution, plan, step)))
    if found is not None:
        execution.say(f"Found {found.id}, created before")
        _refuse_other_job(execution, plan, found, earlier_request(execution, plan, step))
    return found


def _refuse_other_job(execution: Execution, plan: Plan, job: Job, asked: JobRequest) -> None:
    execution.witness.refuse_other_job(job, asked, sought_files(plan))


def _do(execution: Execution, plan: Plan, step: Step, run: LockedRun) -> LockedRun:
    if isinstance(step, Upload | ReuseFile):
        sought = sought_file(step)
        file_id = _reused(execution, step, sought) if isinstance(step, ReuseFile) else None
        locked = LockedFile(file=step.file, file_id=file_id or _upload(execution, sought))
        if step.role == "training_file":
            return replace(run, training_file=locked)
        return replace(run, validation_file=locked)
    if isinstance(step, CreateJob):
        job = _create_job(execution, plan, step, run)
        return _with_job(execution, plan, job, run)
    if isinstance(step, WatchJob):
        execution.say(f"Following {step.job_id} ({step.reason})")
    return run


def _with_job(execution: Execution, plan: Plan, job: Job, run: LockedRun) -> LockedRun:
    """The run with its job and with the files that this job has, which another process may have sent."""
    training, validation = run.training_file, run.validation_file
    run = replace(
        run,
        training_file=replace(training, file_id=job.training_file or training.file_id),
        validation_file=replace(validation, file_id=job.validation_file or validation.file_id)
        if validation
        else None,
        job=_locked_job(execution, plan, job, run.job),
    )
    # A job that is over is locked with its whole result, which following it brings, or not at all.
    if not job.is_terminal:
        execution.save(run)
    return run


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


def _reused(execution: Execution, step: ReuseFile, sought: SoughtFile) -> str | None:
    remote = retrieved_file(execution.provider, step.file_id, sought)
    if remote is None:
        execution.say(f"{step.file_id} is gone at the provider or another file now; uploading it again")
        return None
    _wait_for(execution, remote)
    execution.witness.refuse_other_file(remote, sought)
    return remote.id


def _upload(execution: Execution, sought: SoughtFile) -> str:
    path = _checked_path(execution.dataset, sought.file)

    def send() -> RemoteFile:
        execution.say(f"Uploading {sought.filename} ({sought.file.size_bytes:,} bytes)")
        most = execution.max_file_bytes
        if most is not None and sought.file.size_bytes > most:
            ledger = Ledger(execution.journal.path.with_suffix(".parts"))
            return upload_in_parts(execution.provider, path, sought, ledger, execution.say)
        return execution.provider.upload(path, filename=sought.filename, key=sought.key)

    lookup = Lookup(
        kind="upload",
        key=sought.key,
        look=lambda: find_file(execution.provider, execution.journal, sought),
        journal=execution.journal,
        clock=execution.clock,
        delays=LOOKUP_DELAYS,
    )
    # A file sent twice costs nothing, so nothing refuses a second attempt.
    file = found_before(lookup) or sent(lookup, send, refuse=lambda: None)
    _wait_for(execution, file)
    execution.witness.refuse_other_file(file, sought)
    return file.id


def _wait_for(execution: Execution, file: RemoteFile) -> None:
    host = execution.recipe.training.provider
    wait_for_file(execution.provider, host, file, execution.clock, execution.say)


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


def _create_job(execution: Execution, plan: Plan, step: CreateJob, run: LockedRun) -> Job:
    request, sought = job_request(execution, step, run), sought_job(execution, plan, step)
    provider, journal = execution.provider, execution.journal
    lookup = _job_lookup(execution, sought)
    # Uploads may take minutes, in which another process may have come first.
    found = lookup.look()
    if found is not None:
        _refuse_other_job(execution, plan, found, request)
        return lookup.remember(found)

    def create() -> Job:
        return sent(
            lookup,
            lambda: provider.create_job(request),
            refuse=lambda: refuse_unmarked(provider, journal, sought, request.training_file),
        )

    created = created_when_ready(create, execution.clock, execution.say)
    _refuse_other_job(execution, plan, created, request)
    kept = lookup.remember(_without_twin(execution, sought, created))
    _refuse_other_job(execution, plan, kept, request)
    return kept


def _without_twin(execution: Execution, sought: SoughtJob, created: Job) -> Job:
    """The job that stays when another process created one for the same key at the same time."""
    execution.clock.sleep(execution.settle_s)
    try:
        kept = find_job(execution.provider, execution.journal, sought, execution.say, created)
    except (ConnectionLostError, ServerFaultError) as error:
        raise type(error)(f"{error} {created.id} was created before; the same command finds it.") from error
    return kept or created


def _job_lookup(execution: Execution, sought: SoughtJob) -> Lookup[Job]:
    return Lookup(
        kind="job",
        key=sought.key,
        look=lambda: find_job(execution.provider, execution.journal, sought, execution.say),
        journal=execution.journal,
        clock=execution.clock,
        delays=LOOKUP_DELAYS,
    )
