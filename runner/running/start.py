"""Starts the job that a plan asks for, after the one whose result it trains further."""

from contextlib import closing

from runner.errors import DetachedError, RunnerError
from runner.execution.history import history_of
from runner.execution.locking import locked_base
from runner.execution.outcome import interruption
from runner.execution.requests import Execution
from runner.execution.run import start
from runner.lock.lockfile import LockedJob, LockedRun
from runner.operator import Operator
from runner.pipeline import plan_loaded
from runner.planning.value import CreateJob, Planned
from runner.providers.translation import worded
from runner.recipe.load import LoadedRecipe
from runner.running.following import Console, follow_started
from runner.running.refusals import pinned_model
from runner.running.state import alone, journal_of, provider_of, save_run

# A paid host's clock has whole seconds: two runs that race are told apart a second later.
SETTLE_S = 1.0


def start_job(planned: Planned, operator: Operator, console: Console, *, reruns: bool = False) -> LockedRun:
    """Do the steps of a plan up to a started job, which is locked at once unless it `reruns` a locked one.

    The recipe whose result is trained further is run to its end first, where that is not done.
    """
    loaded, host = planned.loaded, planned.host
    base = _base_result(planned, operator, console)
    journal = journal_of(loaded)
    try:
        with closing(provider_of(host, loaded.project, operator)) as provider:
            execution = Execution(
                recipe=loaded.recipe,
                dataset=planned.dataset,
                provider=provider,
                journal=journal,
                clock=operator.clock,
                save=lambda run: None if reruns else _save_start(loaded, run),
                say=console.say,
                model=_sent_model(planned, base, operator),
                base=locked_base(loaded.recipe, base.digest) if base else None,
                wording=worded(loaded.recipe.training, host),
                model_sha256=planned.model_sha256,
                allow_network=operator.allow_network,
                allow_code=operator.allow_code,
                keeps_metadata=host.keeps_metadata,
                restates=host.restates,
                max_file_bytes=host.limits.max_file_bytes,
                settle_s=0.0 if host.is_local else SETTLE_S,
            )
            run = start(execution, planned.plan, planned.locked)
        _record_start(planned, run, operator)
    except KeyboardInterrupt:
        raise DetachedError(interruption(planned, journal, "rerun" if reruns else "run")) from None
    return run


def _save_start(loaded: LoadedRecipe, run: LockedRun) -> None:
    if run.job is None:
        raise AssertionError("BUG: a start without a job")
    try:
        save_run(loaded, run)
    except OSError as error:
        raise RunnerError(
            f"job {run.job.id} was created and goes on.\n{loaded.lock_file} could not be written: "
            f"{error.strerror}. Repair that, then {loaded.command('run')} finds the job and goes on."
        ) from error


def _base_result(planned: Planned, operator: Operator, console: Console) -> LockedJob | None:
    """Run the recipe whose result is trained further, where it is needed and not done; its job.

    Raises RunnerError when another job than the planned one would be made, and what `run` raises.
    """
    base = planned.base
    if base is None or not planned.plan.creates_job:
        return None
    with alone(base.loaded):
        # Another process may have run it meanwhile.
        now = plan_loaded(base.loaded, operator, read_all=True)
        if now.plan.digest != base.plan.digest:
            raise RunnerError(f"{base.loaded.run_name} changed since it was planned. Run the command again.")
        run = start_job(now, operator, console) if now.plan.steps else now.locked
    if run is not None and now.plan.steps:
        run = follow_started(now, run, operator, console)
    if run is None or run.job is None:
        raise AssertionError("BUG: a recipe that was run has no job")
    return run.job


def _sent_model(planned: Planned, base: LockedJob | None, operator: Operator) -> str:
    if base is None:
        return pinned_model(planned, operator)
    if base.fine_tuned_model is None:
        raise RunnerError(f"job {base.id} has no tuned model to train further. `finetune status` shows it.")
    return base.fine_tuned_model


def _record_start(planned: Planned, run: LockedRun, operator: Operator) -> None:
    reason = next((step.reason for step in planned.plan.steps if isinstance(step, CreateJob)), None)
    if reason is None:
        return
    history = history_of(planned.loaded, operator.clock)
    if planned.locked is not None and planned.locked.job is not None:
        history.keep(planned.loaded.run_key, planned.locked)
    history.record(planned.loaded.run_key, run, reason)
