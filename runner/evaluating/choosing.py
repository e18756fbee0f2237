"""Chooses whom an evaluation asks: the tuned model, its checkpoints, other models, and baselines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runner.aliases import served_as
from runner.display import shown
from runner.errors import RunnerError, UsageError
from runner.evaluating.wanted import Wanted
from runner.evaluation.candidates import TUNED, Candidate, baselines, checkpoints
from runner.lock.lockfile import LockedJob, LockedRun, read_lockfile
from runner.operator import Operator
from runner.providers.base_models import told_name
from runner.providers.checks import base_model
from runner.providers.hosts import find_host
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.model import Evaluation as Section


def choose_candidates(
    loaded: LoadedRecipe, section: Section, run: LockedRun | None, wanted: Wanted, operator: Operator
) -> list[Candidate]:
    """Who is asked, the one that the others are compared with first. Raises RunnerError, UsageError."""
    job = run.job if run else None
    found: list[Candidate] = []
    if job is not None and job.fine_tuned_model and not wanted.alone:
        tuned = Candidate(name=TUNED, provider=job.provider, model=job.fine_tuned_model, tuned_from=job.model)
        found += [tuned, *checkpoints(job, wanted.checkpoint)]
    found += [_other_model(name, loaded, wanted, operator) for name in wanted.models]
    if not found:
        raise RunnerError(
            f"there is no tuned model under the profile '{loaded.profile}' yet. "
            f"{loaded.command('run')} makes one; --model asks another."
        )
    if not wanted.alone:
        found += baselines(section.baselines, _asked_base(loaded, job, operator))
    _refuse_equal_names(found)
    return found


def _refuse_equal_names(candidates: Sequence[Candidate]) -> None:
    """Answers are kept by the name of who gave them."""
    counts = Counter(candidate.name for candidate in candidates)
    twice = [shown(name) for name, count in counts.items() if count > 1]
    if twice:
        raise UsageError(f"{', '.join(twice)} would be asked twice under one name; expected each name once.")


def _asked_base(loaded: LoadedRecipe, job: LockedJob | None, operator: Operator) -> LockedJob:
    """A job whose model baselines are asked: what the locked one began with, or would one that is to come."""
    if job is not None:
        return replace(job, model=told_name(job, loaded.folder, loaded.project))
    training = loaded.recipe.training
    host = find_host(training.provider, operator.user_hosts, loaded.project)
    return LockedJob(
        id="", provider=training.provider, model=base_model(loaded, host).name, method=training.method,
        digest="", attempt=1, seed=training.seed, status="", requested={},
    )  # fmt: skip


def _other_model(name: str, loaded: LoadedRecipe, wanted: Wanted, operator: Operator) -> Candidate:
    if not name.endswith((".yaml", ".yml")):
        provider, model = served_as(name, wanted.provider, loaded.project, loaded.recipe.training.provider)
        return Candidate(name=name, provider=provider, model=model)
    other = single(load_recipe(Path(name), operator.profile), ())
    run = read_lockfile(other.lock_path).runs.get(other.run_key)
    if run is None or run.job is None or not run.job.fine_tuned_model:
        raise RunnerError(f"{name} has no tuned model yet. {other.command('run')} makes one.")
    job = run.job
    return Candidate(
        name=other.recipe.name, provider=job.provider, model=job.fine_tuned_model, tuned_from=job.model
    )
