"""Runs a plan: every remote effect is recorded before it is sent and looked up when its answer is lost."""

from dataclasses import replace
from pathlib import Path

from runner.canonical import sha256_file
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import RunnerError
from runner.execution.files import SoughtFile, find_file, retrieved_file
from runner.execution.jobs import SoughtJob, find_job, refuse_unmarked
from runner.execution.locking import begun, with_job
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
from runner.lock.lockfile import LockedFile, LockedRun
from runner.planning.value import CreateJob, Plan, ReuseFile, Step, Upload, WatchJob
from runner.providers.base import (
    ConnectionLostError,
    Job,
    JobRequest,
    RemoteFile,
    ServerFaultError,
)

# A create whose answer was lost is looked for this often before anything is sent again; seconds.
LOOKUP_DELAYS = (0.5, 2.0, 5.0, 10.0)


def start(execution: Execution, plan: Plan, locked: LockedRun | None) -> LockedRun:
    """Do the steps of a plan up to a started job, and return the run as it is then locked.

    Raises ProviderError when the provider refuses or cannot be reached; everything done until then is saved
    and found again by the next run.
    """
    run = begun(execution, plan, locked)
    creation = _creation(plan)
    found = _created_before(execution, plan, creation) if creation else None
    if found is not None:
        return _locked(execution, plan, found, run)
    for step in plan.steps:
        run = _do(execution, plan, step, run)
    return run


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
        return _locked(execution, plan, job, run)
    if isinstance(step, WatchJob):
        execution.say(f"Following {step.job_id} ({step.reason})")
    return run


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


def _locked(execution: Execution, plan: Plan, job: Job, run: LockedRun) -> LockedRun:
    run = with_job(execution, plan, job, run)
    # A job that is over is locked with its whole result, which following it brings, or not at all.
    if not job.is_terminal:
        execution.save(run)
    return run


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
