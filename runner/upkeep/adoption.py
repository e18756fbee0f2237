"""Takes a job that was made elsewhere into the lockfile, as what it is."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from runner.building import yardstick
from runner.errors import ProviderError, RunnerError
from runner.execution.history import history_of
from runner.execution.locking import with_result
from runner.hints import command
from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from runner.operator import Operator, today_of
from runner.pipeline import plan_loaded, validate
from runner.planning.changes import grader_sha256, section_hashes
from runner.planning.plan import Situation, job_digest, job_key
from runner.planning.value import Planned
from runner.providers.base import (
    JOB_KEY_METADATA,
    Checkpoint,
    Job,
    NotFoundError,
    NotOfferedError,
    Provider,
)
from runner.providers.hosts import Host, find_host
from runner.providers.hub_models import commit_of
from runner.providers.statuses import TERMINAL
from runner.recipe.choosing import single
from runner.recipe.model import RecipeModel
from runner.running.state import alone, provider_of, save_run
from runner.upkeep.adopted_files import AdoptedFile, FileComparison
from runner.upkeep.adopted_settings import Setting, actual_recipe, settings_of

# How far a key is tried; nobody repeats a job more often.
MAX_ATTEMPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A job as it was locked, where it is not what the recipe asks for, and what nobody could compare.

    `replaced` is the job that the lockfile had before.
    """

    run: LockedRun
    replaced: str | None
    differences: tuple[str, ...]
    warnings: tuple[str, ...]


def adopt(path: Path, operator: Operator, job_id: str, provider: str | None, *, accept: bool) -> Adoption:
    """Read a job and its files at a provider and lock it as the recipe's; nothing is sent.

    Raises RunnerError where it is not what the recipe asks for, unless differences are to be accepted: then
    it is locked as what it is, and the next plan says what replaces it.
    """
    loaded = single(validate(path, operator), operator.only)
    if loaded.base is not None:
        raise RunnerError(
            f"{loaded.run_name} trains the result of {loaded.base.run_name} further, which no job from "
            "elsewhere does. Name the model itself under `training.model`."
        )
    with alone(loaded):
        planned = plan_loaded(loaded, operator)
        _refuse_unready(planned, job_id)
        host = find_host(provider or loaded.recipe.training.provider, operator.user_hosts, loaded.project)
        with closing(provider_of(host, loaded.project, operator)) as connected:
            job, checkpoints = _read_job(connected, host, job_id)
            files = FileComparison(
                provider=connected,
                host=host.name,
                dataset=planned.dataset,
                counter=yardstick(loaded, host)[1],
            ).files(job)
        candidate = _Candidate(
            planned=planned, host=host, job=job, settings=tuple(settings_of(planned, host, job)), files=files
        )
        differences = candidate.differences
        if differences and not accept:
            listed = "\n".join(f"  {difference}" for difference in differences)
            raise RunnerError(
                f"{job.id} is not the job that {loaded.file} asks for:\n{listed}\n"
                "Nothing was locked. Change the recipe, or lock the job as it is with --accept-differences."
            )
        run = with_result(candidate.locked_run(operator), job, checkpoints)
        _save(planned, run, f"imported from {host.name}", operator)
    return Adoption(
        run=run, replaced=candidate.replaced, differences=differences, warnings=candidate.warnings
    )


def _refuse_unready(planned: Planned, job_id: str) -> None:
    if planned.dataset.errors:
        raise RunnerError("\n".join(str(finding) for finding in planned.dataset.errors))
    job = planned.locked.job if planned.locked else None
    if job is not None and job.id != job_id and job.status not in TERMINAL:
        raise RunnerError(
            f"the lockfile has {job.id}, which is {job.status}. {planned.loaded.command('watch')} follows it "
            f"to its end, {planned.loaded.command('cancel')} stops it; import after that."
        )


def _read_job(provider: Provider, host: Host, job_id: str) -> tuple[Job, list[Checkpoint]]:
    try:
        job = provider.retrieve_job(job_id)
    except NotFoundError as error:
        jobs = command("jobs", provider=host.name)
        raise ProviderError(f"{error}. {jobs} lists the jobs that are there.") from error
    try:
        return job, provider.list_checkpoints(job_id)
    except (NotFoundError, NotOfferedError):
        return job, []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A job that may be taken for the recipe's, compared with what the recipe asks for and builds."""

    planned: Planned
    host: Host
    job: Job
    settings: tuple[Setting, ...]
    files: tuple[AdoptedFile, AdoptedFile]

    @property
    def replaced(self) -> str | None:
        locked = self.planned.locked
        before = locked.job.id if locked and locked.job else None
        return before if before != self.job.id else None

    @property
    def differences(self) -> tuple[str, ...]:
        found = [str(setting) for setting in self.settings if setting.differs]
        return (*found, *(file.difference for file in self.files if file.difference))

    @property
    def warnings(self) -> tuple[str, ...]:
        found = [file.warning for file in self.files if file.warning]
        unknown = ", ".join(setting.name for setting in self.settings if setting.is_unknown)
        if unknown:
            found.append(f"{self.host.name} does not tell the {unknown} of {self.job.id}; nobody compared it")
        return tuple(found)

    def locked_run(self, operator: Operator) -> LockedRun:
        """The run to lock, without the job's result."""
        training, validation = self.files[0].locked, self.files[1].locked
        if training is None:
            raise AssertionError("BUG: a job without a training file")
        dataset = self.planned.dataset
        recipe = actual_recipe(self.planned.loaded.recipe, self.settings)
        # What other files were made from is not known.
        is_ours = _hashes(training, validation) == [file.sha256 for file in dataset.files]
        return LockedRun(
            recipe_sha256=recipe.sha256,
            sections=section_hashes(recipe) if is_ours else {},
            sources=dataset.sources if is_ours else (),
            templates=dataset.templates if is_ours else (),
            n_records=dataset.n_records if is_ours else 0,
            index=dataset.index if is_ours else "",
            training_file=training,
            validation_file=validation,
            job=self._locked_job(training, validation, operator),
        )

    def _locked_job(
        self, training_file: LockedFile, validation_file: LockedFile | None, operator: Operator
    ) -> LockedJob:
        recipe = actual_recipe(self.planned.loaded.recipe, self.settings)
        training, planned = recipe.training, self.planned
        model_sha256 = planned.model_sha256 if training.model == planned.plan.model else None
        situation = Situation(host=self.host, today=today_of(operator), model_sha256=model_sha256)
        dataset = replace(
            planned.dataset,
            training_file=training_file.file,
            validation_file=validation_file.file if validation_file else None,
        )
        digest = job_digest(recipe, dataset, situation)
        before = planned.locked.job if planned.locked else None
        return LockedJob(
            id=self.job.id,
            provider=self.host.name,
            model=planned.plan.model if isinstance(training.model, RecipeModel) else training.model,
            model_sha256=model_sha256,
            model_revision=commit_of(self.job.model) if self.host.is_local else None,
            method=training.method,
            digest=digest,
            attempt=_attempt(self.job, digest, before),
            seed=training.seed,
            suffix=training.suffix,
            grader_sha256=grader_sha256(training),
            status=self.job.status,
            requested=training.hyperparameters.as_dict(),
            options=dict(training.options),
        )


def _attempt(job: Job, digest: str, before: LockedJob | None) -> int:
    """The attempt in a job's key where it is one of ours; else the locked one, for earlier keys are taken."""
    key = job.metadata.get(JOB_KEY_METADATA)
    own = (attempt for attempt in range(1, MAX_ATTEMPT + 1) if job_key(digest, attempt) == key)
    locked = before.attempt if before and before.digest == digest else 1
    return next(own, locked) if key else locked


def _hashes(training: LockedFile, validation: LockedFile | None) -> list[str]:
    return [item.file.sha256 for item in (training, validation) if item]


def _save(planned: Planned, run: LockedRun, reason: str, operator: Operator) -> None:
    loaded = planned.loaded
    history = history_of(loaded, operator.clock)
    if planned.locked is not None and planned.locked.job is not None:
        history.keep(loaded.run_key, planned.locked)
    save_run(loaded, run)
    history.record(loaded.run_key, run, reason)
