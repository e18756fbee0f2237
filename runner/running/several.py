"""Runs every chosen combination of a recipe as one: planned, priced and confirmed together."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from runner.errors import DetachedError, JobFailedError, RunnerError
from runner.execution.locking import refreshed
from runner.execution.outcome import goes_on
from runner.lock.lockfile import LockedRun
from runner.operator import Operator
from runner.pipeline import plan_all, validate
from runner.planning.drift import refuse_drift
from runner.planning.value import Planned
from runner.providers.statuses import TERMINAL
from runner.recipe.choosing import chosen
from runner.running.following import Console, follow_started
from runner.running.refusals import failures, refuse_all_unfit
from runner.running.saved_plan import SavedPlan, refuse_moved
from runner.running.start import start_job
from runner.running.state import alone, save_run

# A plan, and the run as it was locked when its job had started; None where there is none.
Started = tuple[Planned, LockedRun | None]


def run(
    path: Path, operator: Operator, console: Console, saved: SavedPlan | None = None
) -> tuple[Planned, ...]:
    """Do what the plans say, follow the jobs to their ends, and lock the results.

    All jobs are started, then followed; one that fails does not stop the others. With a saved plan, only that
    one is run. Raises OverBudgetError, ProviderError, JobFailedError and whatever `plan_all` raises.
    """
    with ExitStack() as held:
        try:
            for loaded in chosen(validate(path, operator), operator.only):
                held.enter_context(alone(loaded))
            plans = _confirmed(path, operator, console, saved)
        except KeyboardInterrupt:
            raise DetachedError("interrupted; nothing was sent.") from None
        started = _all_started(plans, operator, console)
    if len(started) == 1:
        return (_finished(*started[0], operator, console),)
    return _all_finished(started, operator, console)


def _confirmed(
    path: Path, operator: Operator, console: Console, saved: SavedPlan | None
) -> tuple[Planned, ...]:
    plans = plan_all(path, operator, read_all=True)
    for planned in plans if operator.locked else ():
        refuse_drift(planned)
    if saved is not None:
        refuse_moved(saved, plans)
    refuse_all_unfit(plans, operator)
    if any(planned.plan.steps for planned in plans) and not console.confirm(plans):
        raise RunnerError("not confirmed; nothing was sent.")
    return plans


def _all_started(plans: Sequence[Planned], operator: Operator, console: Console) -> list[Started]:
    started: list[Started] = []
    for planned in plans:
        try:
            started.append((planned, _started(planned, operator, console)))
        except RunnerError:
            _tell_of(started, console)
            raise
    return started


def _tell_of(others: Sequence[Started], console: Console) -> None:
    """Name the jobs that go on without this command."""
    for planned, run in others:
        job = run.job if run is not None and planned.plan.steps else None
        if job is not None and job.status not in TERMINAL:
            watch, cancel = planned.loaded.command("watch"), planned.loaded.command("cancel")
            console.say(goes_on(job.id, watch=watch, cancel=cancel))


def _started(planned: Planned, operator: Operator, console: Console) -> LockedRun | None:
    """The run with its job started, or with the inputs of today where there is nothing to do."""
    if planned.plan.steps:
        return start_job(planned, operator, console)
    if planned.refusal:
        return planned.locked
    run = refreshed(planned)
    save_run(planned.loaded, run)
    return run


def _finished(planned: Planned, run: LockedRun | None, operator: Operator, console: Console) -> Planned:
    if planned.refusal:
        raise JobFailedError(planned.refusal)
    if run is not None and planned.plan.steps:
        run = follow_started(planned, run, operator, console)
    return replace(planned, locked=run)


def _all_finished(started: Sequence[Started], operator: Operator, console: Console) -> tuple[Planned, ...]:
    done, failed = [], []
    for number, (planned, run) in enumerate(started, start=1):
        if planned.plan.steps:
            console.say(f"Following {planned.loaded.run_name}")
        try:
            done.append(_finished(planned, run, operator, console))
        except JobFailedError as error:
            failed.append(f"{planned.loaded.run_name}: {error}")
        except RunnerError:
            _tell_of(started[number:], console)
            raise
    if failed:
        raise failures([planned for planned, _ in started], failed)
    return tuple(done)
