"""What a run asks of its provider: the files and the job, as they are sent and as they are found again."""

from collections.abc import Callable
from dataclasses import dataclass

from runner.canonical import sha256_of
from runner.clock import Clock
from runner.dataset.value import Dataset
from runner.execution.files import SoughtFile
from runner.execution.jobs import SoughtJob
from runner.execution.journal import Journal
from runner.execution.truth import Witness
from runner.lock.lockfile import LockedBase, LockedRun
from runner.planning.plan import job_key
from runner.planning.value import CreateJob, Plan, ReuseFile, Upload
from runner.providers.base import JobRequest, Provider
from runner.providers.base_models import told_name
from runner.providers.hosts import Host
from runner.providers.translation import Wording, wording_of
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Recipe


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What running a plan needs. `save` stores the run in the lockfile once its job has started.

    `keeps_metadata` says whether the provider stores a job's metadata, `restates` what it words anew. Files
    above `max_file_bytes` are sent in parts. `settle_s` is waited between a create and the look for a twin,
    so that a job created after that look is certainly the later one.
    """

    recipe: Recipe
    dataset: Dataset
    provider: Provider
    journal: Journal
    clock: Clock
    save: Callable[[LockedRun], object]
    say: Callable[[str], None]
    model: str
    wording: Wording
    model_sha256: str | None = None
    base: LockedBase | None = None
    allow_network: bool = False
    allow_code: bool = False
    keeps_metadata: bool = True
    restates: tuple[str, ...] = ()
    settle_s: float = 0.0
    max_file_bytes: int | None = None

    @property
    def witness(self) -> Witness:
        """Who is asked whether the provider has what it was sent."""
        host = self.recipe.training.provider
        return Witness(provider=self.provider, host=host, restates=self.restates)


def sought_file(step: Upload | ReuseFile) -> SoughtFile:
    """A file of the plan, as it is looked for at the provider."""
    key = sha256_of({"upload": step.filename, "sha256": step.file.sha256, "role": step.role})
    return SoughtFile(key=key, filename=step.filename, file=step.file)


def sought_files(plan: Plan) -> dict[str, SoughtFile]:
    """The files of the plan by role."""
    return {step.role: sought_file(step) for step in plan.steps if isinstance(step, Upload | ReuseFile)}


def sought_job(execution: Execution, plan: Plan, step: CreateJob) -> SoughtJob:
    """The job of the plan, as it is looked for at the provider."""
    upload = next(
        item for item in plan.steps if isinstance(item, Upload | ReuseFile) and item.role == "training_file"
    )
    return SoughtJob(
        key=step.key,
        host=execution.recipe.training.provider,
        repeats=step.repeats,
        training_filename=None if execution.keeps_metadata else upload.filename,
    )


def job_request(execution: Execution, step: CreateJob, run: LockedRun) -> JobRequest:
    """What a job is created from, once its files are sent."""
    if run.training_file.file_id is None:
        raise AssertionError("BUG: a job before its training file")
    validation_file = run.validation_file.file_id if run.validation_file else None
    return _request(execution, step, run.training_file.file_id, validation_file)


def earlier_request(execution: Execution, plan: Plan, step: CreateJob) -> JobRequest:
    """What an earlier run asked for, with the files that this machine sent for it, if it did."""
    sent = {
        role: known
        for role, sought in sought_files(plan).items()
        if (known := execution.journal.outcome("upload", sought.key)) not in (None, "unknown")
    }
    return _request(execution, step, sent.get("training_file", ""), sent.get("validation_file"))


def locked_request(
    run: LockedRun, host: Host, loaded: LoadedRecipe
) -> tuple[JobRequest, dict[str, SoughtFile]]:
    """What the locked job of a recipe was created from, and its files by role."""
    job = run.job
    if job is None:
        raise AssertionError("BUG: a request without a job")
    locked = {"training_file": run.training_file, "validation_file": run.validation_file}
    files = {
        role: SoughtFile(key="", filename=item.filename or "", file=item.file)
        for role, item in locked.items()
        if item is not None
    }
    wording = wording_of(host, job.method, job.requested, job.options)
    request = JobRequest(
        key=job_key(job.digest, job.attempt),
        model=told_name(job, loaded.folder, loaded.project),
        method=job.method,
        training_file=run.training_file.file_id or "",
        validation_file=run.validation_file.file_id if run.validation_file else None,
        hyperparameters=wording.hyperparameters,
        options=wording.body,
        seed=job.seed,
        suffix=job.suffix,
        recipe="",
    )
    return request, files


def _request(
    execution: Execution, step: CreateJob, training_file: str, validation_file: str | None
) -> JobRequest:
    training = execution.recipe.training
    return JobRequest(
        key=step.key,
        model=execution.model,
        method=training.method,
        training_file=training_file,
        validation_file=validation_file,
        hyperparameters=execution.wording.hyperparameters,
        options=execution.wording.body,
        seed=training.seed,
        suffix=training.suffix,
        recipe=execution.recipe.name,
        grader=training.grader,
        allow_network=execution.allow_network,
        allow_code=execution.allow_code,
    )
