"""A finished job as a value that any tracker can take: settings, curves, scores, provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.execution.curves import Point
from runner.lock.lockfile import LockedJob, LockedRun
from runner.providers.base import Job
from runner.recipe.load import LoadedRecipe

Setting = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """What is told of a job. Times are in seconds since the epoch, by the provider's clock.

    `settings` are what it was asked for and what the provider made of it, `tags` where it comes from,
    `scores` the locked evaluation of its model.
    """

    name: str
    job_id: str
    status: str
    started_at: int
    ended_at: int
    settings: Mapping[str, Setting]
    tags: Mapping[str, str]
    curves: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def at_step(record: JobRecord, step: int, model: str | None) -> JobRecord:
    """What is told of the checkpoint of a step, called `model` there: nothing of what came later."""
    curves = {
        name: kept
        for name, points in record.curves.items()
        if (kept := tuple(point for point in points if point.step <= step))
    }
    tags = {name: value for name, value in record.tags.items() if name != "fine_tuned_model"}
    tags |= {"checkpoint_step": str(step), **({"checkpoint": model} if model else {})}
    settings = {name: value for name, value in record.settings.items() if name != "trained_tokens"}
    return replace(record, curves=curves, tags=tags, settings=settings, scores={})


def job_record(
    loaded: LoadedRecipe,
    run: LockedRun,
    job: Job,
    curves: Mapping[str, tuple[Point, ...]],
    commit: str | None,
) -> JobRecord:
    """What is told of a recipe's locked job; `commit` is the git commit that holds its lockfile."""
    locked = run.job
    if locked is None:
        raise AssertionError("BUG: a record without a job")
    ended_at = job.finished_at or max((points[-1].at for points in curves.values()), default=job.created_at)
    return JobRecord(
        name=loaded.run_name,
        job_id=job.id,
        status=job.status,
        started_at=job.created_at,
        ended_at=ended_at,
        settings=_settings(locked, run),
        tags=_tags(loaded, locked, run, commit),
        curves=curves,
        scores=_scores(run, locked),
        files=(loaded.path, loaded.lock_path),
    )


def _settings(job: LockedJob, run: LockedRun) -> dict[str, Setting]:
    asked = {**job.options, **job.requested, **job.resolved}
    sizes = {"training_examples": run.training_file.file.n_examples}
    if run.validation_file:
        sizes["validation_examples"] = run.validation_file.file.n_examples
    tokens = {"trained_tokens": job.trained_tokens} if job.trained_tokens is not None else {}
    return {"model": job.model, "method": job.method, "seed": job.seed, **asked, **sizes, **tokens}


def _tags(loaded: LoadedRecipe, job: LockedJob, run: LockedRun, commit: str | None) -> dict[str, str]:
    tags = {
        "recipe": loaded.project.name_of(loaded.path),
        "run": loaded.run_key,
        "provider": job.provider,
        "job": job.id,
        "job_digest": job.digest,
        "training_file": run.training_file.file.sha256,
        "fine_tuned_model": job.fine_tuned_model,
        "commit": commit,
    }
    return {name: value for name, value in tags.items() if value is not None}


def _scores(run: LockedRun, job: LockedJob) -> dict[str, float]:
    """The mean scores of the locked evaluation, where it is one of this very model."""
    if run.evaluation is None:
        return {}
    candidates = run.evaluation.candidates
    if "tuned" not in candidates or candidates["tuned"].model != job.fine_tuned_model:
        return {}
    return {
        f"{name}/{grader}": score.mean
        for name, candidate in sorted(candidates.items())
        for grader, score in sorted(candidate.scores.items())
    }
