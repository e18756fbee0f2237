"""What a run would do and why: a pure function of recipe, dataset, lock and host."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from runner.canonical import sha256_of
from runner.dataset.value import Dataset, DatasetFile
from runner.display import one_line
from runner.lock.lockfile import LockedJob, LockedRun
from runner.planning.changes import data_changes, training_changes
from runner.planning.value import (
    BaseJob,
    CreateJob,
    FileRole,
    Plan,
    Planned,
    ReuseFile,
    Step,
    Upload,
    WatchJob,
)
from runner.price import Price, price_of, retirement
from runner.providers.hosts import Host, HostModel
from runner.providers.statuses import TERMINAL, WITHOUT_RESULT
from runner.recipe.model import Recipe, RecipeModel

# How much of a job key a filename carries.
KEY_CHARACTERS = 16
_REPLACED = "replace because "


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the plan depends on besides the recipe and the lock; `rerun` is the attempt of a repetition."""

    host: Host
    today: date
    model: HostModel | None = None
    model_sha256: str | None = None
    artefact_present: bool = True
    changed_examples: str | None = None
    retry: bool = False
    rerun: int | None = None
    base: BaseJob | None = None


def base_job(base: Planned | None) -> BaseJob | None:
    """What the plan of a recipe says of the one whose result it trains further."""
    if base is None:
        return None
    created = next((step for step in base.plan.steps if isinstance(step, CreateJob)), None)
    reason = created.reason if created else ""
    change = reason.removeprefix(_REPLACED) if reason.startswith(_REPLACED) else None
    return BaseJob(digest=base.plan.digest, change=change)


def make_plan(recipe: Recipe, dataset: Dataset, locked: LockedRun | None, situation: Situation) -> Plan:
    """Compare what the recipe asks for with what the lock says was done."""
    digest = job_digest(recipe, dataset, situation)
    job = locked.job if locked else None
    same = job is not None and job.digest == digest
    attempt = job.attempt if job is not None and same else 1
    plan = Plan(
        provider=recipe.training.provider,
        model=str(recipe.training.model),
        digest=digest,
        attempt=attempt,
        steps=(),
        price=Price(usd=0.0, arithmetic="nothing to train"),
        notices=_notices(recipe.training.model, situation),
        result=job if same else None,
    )
    if situation.rerun is not None:
        plan = replace(plan, attempt=situation.rerun)
    elif job is not None and same:
        again = _same_job(plan, job, situation)
        if again is not None:
            return again
        # A success that is only not on this machine is made again, not retried.
        plan = replace(plan, attempt=attempt + (situation.retry and job.status in WITHOUT_RESULT))
    steps = _new_job(recipe, dataset, locked, plan, situation)
    price = price_of(recipe, dataset, situation.host, situation.model)
    return replace(plan, steps=steps, price=price, result=None)


def job_digest(recipe: Recipe, dataset: Dataset, situation: Situation) -> str:
    """Hash of everything that makes a job what it is; equal digests are the same job."""
    training = recipe.training
    validation = dataset.validation_file
    # What a recipe does not use is left out, so that the digests of earlier versions stay.
    options: dict[str, Any] = {"options": dict(training.options)} if training.options else {}
    if training.grader is not None:
        options["grader"] = dict(training.grader)
    return sha256_of(
        {
            **options,
            "provider": training.provider,
            "base_url": situation.host.base_url,
            "model": {"digest": situation.base.digest} if situation.base else training.model,
            "model_sha256": situation.model_sha256,
            "method": training.method,
            "hyperparameters": training.hyperparameters.as_dict(),
            "seed": training.seed,
            "suffix": training.suffix,
            "training_file": dataset.training_file.sha256,
            "validation_file": validation.sha256 if validation else None,
        }
    )


def job_key(digest: str, attempt: int) -> str:
    """What marks a job as ours at the provider."""
    return sha256_of({"digest": digest, "attempt": attempt})


def upload_name(recipe: Recipe, file: DatasetFile, key: str | None = None) -> str:
    """A name that tells the content, and with a key its job, so that an upload can be found again."""
    mark = f"-{key[:KEY_CHARACTERS]}" if key else ""
    return f"{recipe.name}-{file.sha256[:16]}{mark}.jsonl"


def _same_job(plan: Plan, job: LockedJob, situation: Situation) -> Plan | None:
    """The plan for a job that was started before; None when it has to be started (again)."""
    if job.status == "succeeded":
        return plan if situation.artefact_present else None
    if job.status not in TERMINAL:
        if not situation.artefact_present:
            return None
        return replace(plan, steps=(WatchJob(job_id=job.id, reason=f"started before, last {job.status}"),))
    if situation.retry:
        return None
    return replace(
        plan,
        blocked=f"job {job.id} {_ended(job.status)} and nothing it depends on changed.",
    )


def _ended(status: str) -> str:
    return "was cancelled" if status == "cancelled" else "failed"


def _new_job(
    recipe: Recipe, dataset: Dataset, locked: LockedRun | None, plan: Plan, situation: Situation
) -> tuple[Step, ...]:
    key = job_key(plan.digest, plan.attempt)
    # Where metadata is not kept, the training file alone has to identify the job.
    mark = None if situation.host.keeps_metadata else key
    steps: list[Step] = [_file_step("training_file", dataset.training_file, recipe, locked, mark)]
    if dataset.validation_file:
        steps.append(_file_step("validation_file", dataset.validation_file, recipe, locked, None))
    reason = _job_reason(recipe, dataset, locked, plan, situation)
    job = locked.job if locked else None
    is_locked = job is not None and (job.digest, job.attempt) == (plan.digest, plan.attempt)
    repeats = is_locked and situation.rerun is None
    return (*steps, CreateJob(key=key, attempt=plan.attempt, reason=reason, repeats=repeats))


def _file_step(
    role: FileRole, file: DatasetFile, recipe: Recipe, locked: LockedRun | None, mark: str | None
) -> Step:
    name = upload_name(recipe, file, mark)
    earlier = getattr(locked, role) if locked else None
    if earlier is None or earlier.file_id is None:
        return Upload(role=role, file=file, filename=name, reason="new")
    if locked and locked.job and locked.job.provider != recipe.training.provider:
        return Upload(role=role, file=file, filename=name, reason="new at this provider")
    if earlier.file.sha256 != file.sha256:
        return Upload(role=role, file=file, filename=name, reason=f"replaces {earlier.file_id} (other bytes)")
    if mark is not None and locked and locked.job and mark != job_key(locked.job.digest, locked.job.attempt):
        reason = f"the same bytes again, because {recipe.training.provider} keeps no metadata to tell jobs by"
        return Upload(role=role, file=file, filename=name, reason=reason)
    reason = f"reuse {earlier.file_id} (same bytes)"
    stored = earlier.filename or name
    return ReuseFile(role=role, file=file, filename=stored, file_id=earlier.file_id, reason=reason)


def _job_reason(
    recipe: Recipe, dataset: Dataset, locked: LockedRun | None, plan: Plan, situation: Situation
) -> str:
    job = locked.job if locked else None
    if locked is None or job is None:
        return "new"
    if job.digest == plan.digest:
        if situation.rerun is not None:
            return f"rerun of {job.id} as attempt {plan.attempt}"
        if situation.retry and plan.attempt != job.attempt:
            return f"attempt {plan.attempt}, because {job.id} {_ended(job.status)}"
        return f"train here: {job.fine_tuned_model or job.id} is not on this machine"
    changes = training_changes(recipe, job, situation.model_sha256, situation.base)
    changes += data_changes(recipe, dataset, locked, situation.changed_examples)
    return _REPLACED + "; ".join(changes or ["the job's inputs changed"])


def _notices(model: str | RecipeModel, situation: Situation) -> tuple[str, ...]:
    host = situation.host
    near = host.near_model(model) if isinstance(model, str) else ""
    said = retirement(situation.model, situation.today)
    notices = [f"{host.name}: {notice.text} from {notice.on}" for notice in host.notices]
    if host.origin:
        notices.append(
            f"{host.name}: its entry is {host.origin} of this project; a key needs your permission"
        )
    if near:
        notices.append(f"{host.name}: no model '{one_line(str(model))}' in its host entry. {near}")
    return (*notices, said) if said else tuple(notices)
