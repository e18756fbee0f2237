"""Commands about a recipe's job: run, status, watch."""

import sys
from pathlib import Path

import click

from runner import pipeline
from runner.cli.options import (
    find_recipe,
    find_target,
    is_interactive,
    job_of,
    json_option,
    locked_option,
    network_option,
    operator,
    profile_option,
    provider_option,
    recipe_argument,
    set_option,
    tell,
    write,
    write_json,
)
from runner.errors import DetachedError, JobFailedError, RunnerError, UsageError
from runner.execution.outcome import failure
from runner.execution.watching import Update, follow
from runner.plan import Planned
from runner.report import machine, terminal
from runner.report.progress import JobProgress
from runner.saved_plan import read_plan


class TerminalConsole:
    """Speaks with the person at the terminal; results go to stdout, all of this to stderr."""

    def __init__(self, progress: JobProgress, *, yes: bool) -> None:
        self.progress = progress
        self.yes = yes
        self.job_id: str | None = None

    def confirm(self, planned: Planned) -> bool:
        """Show the plan; ask where it costs money."""
        tell(terminal.dataset_text(planned.dataset))
        tell(terminal.plan_text(planned))
        if not planned.host.paid or not planned.plan.creates_job or self.yes:
            return True
        if not is_interactive():
            raise RunnerError("a paid job needs a confirmation: pass --yes. Nothing was sent.")
        return click.confirm("Start the job?", err=True)

    def say(self, message: str) -> None:
        """Tell what is being done."""
        self.progress.line(message)

    def show(self, update: Update) -> None:
        """Show a job's progress."""
        self.job_id = update.job.id
        self.progress.show(update)


@click.command()
@recipe_argument
@profile_option
@set_option
@network_option
@click.option("--yes", is_flag=True, help="Start a paid job without asking.")
@click.option("--retry", is_flag=True, help="Start a new attempt of a failed or cancelled job.")
@click.option("--allow-unknown-price", is_flag=True, help="Start a job whose price is not known.")
@click.option("--max-cost", type=click.FloatRange(0), help="Refuse a job above this many US dollars.")
@locked_option
@json_option
def run(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    allow_network: bool,
    yes: bool,
    retry: bool,
    allow_unknown_price: bool,
    max_cost: float | None,
    locked: bool,
    as_json: bool,
) -> None:
    """Upload, train, follow the job to its end and write the lockfile. A second run finds nothing to do.

    RECIPE may be a plan saved by `plan --out`; it is refused when anything moved since.
    """
    saved = read_plan(recipe) if recipe is not None and recipe.suffix == ".json" else None
    if saved and assignments:
        raise UsageError("a saved plan is run as it was planned. Leave --set out, or plan again with it.")
    path = saved.recipe if saved else find_recipe(recipe)
    decided = operator(
        profile=saved.profile if saved else profile,
        assignments=saved.assignments if saved else assignments,
        allow_network=allow_network,
        retry=retry,
        allow_unknown_price=allow_unknown_price,
        max_cost_usd=max_cost,
        locked=locked,
    )
    with JobProgress(sys.stderr) as progress:
        console = TerminalConsole(progress, yes=yes)
        try:
            done = pipeline.run(path, decided, console, saved)
        except KeyboardInterrupt:
            raise _detached(console.job_id) from None
    _report(done, as_json=as_json)


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@provider_option
@json_option
def status(subject: str | None, profile: str, provider: str | None, as_json: bool) -> None:
    """Show a job as its provider reports it now."""
    target = find_target(subject, provider, profile)
    job = target.provider.retrieve_job(job_of(target))
    checkpoints = [item.model for item in target.provider.list_checkpoints(job.id)]
    if as_json:
        write_json({"job": machine.job_data(job), "checkpoints": checkpoints})
    else:
        write(terminal.job_text(job, checkpoints))


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@provider_option
@json_option
def watch(subject: str | None, profile: str, provider: str | None, as_json: bool) -> None:
    """Follow a job to its end; with a recipe, the result is locked."""
    decided = operator(profile=profile)
    is_recipe = subject is None or Path(subject).is_file()
    with JobProgress(sys.stderr) as progress:
        console = TerminalConsole(progress, yes=False)
        try:
            if is_recipe and provider is None:
                planned = pipeline.plan(find_recipe(Path(subject) if subject else None), decided)
                _report(pipeline.watch(planned, decided, console), as_json=as_json)
            else:
                _watch_job(subject, provider, profile, console, as_json=as_json)
        except KeyboardInterrupt:
            raise _detached(console.job_id) from None


def _watch_job(
    subject: str | None, provider: str | None, profile: str, console: TerminalConsole, *, as_json: bool
) -> None:
    target = find_target(subject, provider, profile)
    decided = operator()
    interval_s = pipeline.LOCAL_POLL_S if target.host.is_local else pipeline.HOSTED_POLL_S
    last = None
    for update in follow(
        lambda: find_target(subject, provider, profile).provider, job_of(target), decided.clock, interval_s
    ):
        console.show(update)
        last = update.job
    if last is None:
        raise AssertionError("BUG: a job was followed without an update")
    if last.status != "succeeded":
        raise JobFailedError(failure(last))
    if as_json:
        write_json({"job": machine.job_data(last)})
    else:
        write(terminal.job_text(last))


def _report(done: Planned, *, as_json: bool) -> None:
    if as_json:
        write_json({"plan": machine.plan_data(done), "run": machine.run_data(done)})
        return
    job = done.locked.job if done.locked else None
    if not done.plan.steps:
        write(terminal.plan_text(done))
    elif job is not None:
        write(terminal.locked_job_text(job))
        tell(f"locked in {done.loaded.project.name_of(done.loaded.lock_path)}")


def _detached(job_id: str | None) -> DetachedError:
    if job_id is None:
        return DetachedError(
            "interrupted. If a job was started already, the same command finds it and goes on from there."
        )
    return DetachedError(
        f"interrupted; job {job_id} goes on. `finetune watch` attaches again, `finetune cancel` stops it."
    )
