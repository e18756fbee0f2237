"""The stages of a run in order: recipe file → recipe → examples → dataset → plan; `running` goes on."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.building import build, data_key, supply_sources
from runner.dataset.inputs import find_sources
from runner.dataset.value import Dataset
from runner.issues import Issue
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator, today_of
from runner.planning.plan import Situation, base_job, make_plan
from runner.planning.stages import with_shared_uploads
from runner.planning.value import Planned
from runner.providers.checks import base_model, refuse_missing_validation
from runner.providers.hosts import Host, find_host
from runner.recipe.choosing import chosen, single, with_one_dataset
from runner.recipe.load import LoadedRecipe
from runner.token_counts import counted
from runner.tokens.known import with_known_tokens
from runner.validation import validate as validate  # the first stage, for those who run the next ones

if TYPE_CHECKING:
    from runner.examples.read import Example


def preview(path: Path, operator: Operator) -> Generator["Example | Issue", None, None]:
    """The examples of a recipe one by one, nothing checked or written."""
    from runner.examples.confinement import read_confined

    loaded = with_one_dataset(validate(path, operator), operator.only)
    supply_sources(loaded, operator)
    find_sources(loaded)
    yield from read_confined(loaded.recipe, loaded.folder, loaded.project)


def plan(path: Path, operator: Operator) -> Planned:
    """Decide what one run would do, and the run of a recipe whose result it trains further.

    Raises InvalidInputError, StaleLockError, UsageError where the recipe has several; nothing is sent.
    """
    return plan_loaded(single(validate(path, operator), operator.only), operator)


def plan_all(path: Path, operator: Operator, *, read_all: bool = False) -> tuple[Planned, ...]:
    """Decide what the runs of all chosen combinations would do; one run for a recipe without a matrix.

    With `read_all`, every source is hashed, however unchanged it looks. Raises InvalidInputError,
    StaleLockError; nothing is sent.
    """
    recipes = chosen(validate(path, operator), operator.only)
    built: dict[str, Dataset] = {}
    return with_shared_uploads(plan_loaded(each, operator, built, read_all=read_all) for each in recipes)


def plan_loaded(
    loaded: LoadedRecipe,
    operator: Operator,
    built: dict[str, Dataset] | None = None,
    *,
    rerun: int | None = None,
    read_all: bool = False,
) -> Planned:
    """Decide what a run of a recipe that was read and checked would do, as `plan` does.

    `built` keeps datasets for other recipes that are planned at the same moment; `rerun` is the attempt to
    repeat the locked job with. With `read_all`, every source is hashed, however unchanged it looks.
    """
    supply_sources(loaded, operator)
    built = {} if built is None else built
    base = plan_loaded(loaded.base, operator, built, read_all=read_all) if loaded.base else None
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    key = data_key(loaded, host)
    if key not in built:
        use_cache = not (operator.locked or operator.environment.get("CI"))
        effort = operator.effort
        dataset = build(loaded, host, use_cache=use_cache, read_all=read_all, effort=effort)
        built[key] = counted(dataset, loaded, host, operator)
    refuse_missing_validation(loaded, built[key], host)
    locked = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    dataset = with_known_tokens(built[key], locked.files if locked and _counts_for(locked, loaded) else ())
    situation = replace(_situation(loaded, host, dataset, locked, operator), base=base_job(base), rerun=rerun)
    return Planned(
        loaded=loaded,
        host=host,
        dataset=dataset,
        locked=locked,
        plan=make_plan(loaded.recipe, dataset, locked, situation),
        model_sha256=situation.model_sha256,
        changed_examples=situation.changed_examples,
        base=base,
    )


def _counts_for(locked: LockedRun, loaded: LoadedRecipe) -> bool:
    """Whether tokens that were counted for a locked job are those of the recipe's model too."""
    return locked.job is None or loaded.base is not None or locked.job.model == loaded.root_model


def _situation(
    loaded: LoadedRecipe,
    host: Host,
    dataset: Dataset,
    locked: LockedRun | None,
    operator: Operator,
) -> Situation:
    changed = None
    if locked is not None and locked.index != dataset.index:
        from runner.dataset.compare import changed_examples

        changed = changed_examples(dataset.folder / f"{locked.index}.index", dataset.index_path)
    return Situation(
        host=host,
        today=today_of(operator),
        model=host.model(loaded.root_model),
        # A tuned model's files follow from its job's digest.
        model_sha256=None if loaded.base else base_model(loaded, host).sha256(),
        artefact_present=_artefact_present(loaded, host, locked),
        changed_examples=changed,
        retry=operator.retry,
    )


def _artefact_present(loaded: LoadedRecipe, host: Host, locked: LockedRun | None) -> bool:
    if not host.is_local or locked is None or locked.job is None:
        return True
    from runner.providers.local_service import has_artefact, has_job

    here = has_artefact if locked.job.status == "succeeded" else has_job
    return here(loaded.project.state, locked.job.id)
