"""Gives a recipe's tuned model out: as a folder, or to the Hugging Face hub."""

import tempfile
from dataclasses import replace
from pathlib import Path

from runner.errors import RunnerError, UsageError
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator
from runner.providers.hosts import find_host
from runner.providers.local_service import has_artefact
from runner.recipe.load import LoadedRecipe
from runner.running.following import no_job
from runner.sharing.card import model_card
from runner.sharing.export import Exported, Wanted, export_model
from runner.sharing.hub import push
from runner.sharing.record import at_step
from runner.upkeep.tracking import record_of


def export(
    loaded: LoadedRecipe, folder: Path, operator: Operator, *, step: int | None = None, merge: bool = False
) -> Exported:
    """Write a recipe's model with its card into a folder.

    Raises UsageError for a folder that holds something, RunnerError where the model is not on this machine.
    """
    run = _run_of(loaded)
    if run.job is None or not find_host(run.job.provider, operator.user_hosts, loaded.project).is_local:
        provider = run.job.provider if run.job else "nobody"
        raise RunnerError(f"{provider} keeps its models; only those trained on this machine can be exported.")
    if not has_artefact(loaded.project.state, run.job.id):
        raise RunnerError(
            f"the model of {run.job.id} is not on this machine; {loaded.command('run')} trains it here."
        )
    record, of_card = record_of(loaded, operator), run
    if step is not None:
        model = next((each.model for each in run.job.checkpoints if each.step == step), None)
        record = at_step(record, step, model)
        of_card = replace(run, job=replace(run.job, fine_tuned_model=model))

    def card(kind: str) -> str:
        return model_card(loaded, of_card, record, kind)

    return export_model(loaded.project, Wanted(job_id=run.job.id, step=step, merge=merge), folder, card)


def push_model(
    loaded: LoadedRecipe, name: str, operator: Operator, *, merge: bool = False, is_public: bool = False
) -> str:
    """Export a recipe's model and put it on the hub; the commit's address.

    Raises UsageError without the operator's word for the network, and what `export` and `push` raise.
    """
    if not operator.allow_network:
        raise UsageError("the hub is on the network; allow it with --allow-network. Nothing was sent.")
    with tempfile.TemporaryDirectory(dir=loaded.project.make_state(), prefix="push-") as scratch:
        exported = export(loaded, Path(scratch) / "model", operator, merge=merge)
        job = _run_of(loaded).job
        message = f"{job.id if job else ''} of {loaded.project.name_of(loaded.path)}"
        return push(exported.folder, name, message, is_public=is_public)


def _run_of(loaded: LoadedRecipe) -> LockedRun:
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    if run is None or run.job is None:
        raise no_job(loaded)
    return run
