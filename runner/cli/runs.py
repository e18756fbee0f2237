"""Commands about a recipe's job: run, status, watch."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.elsewhere import here
from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    Command,
    code_option,
    find_recipe,
    find_recipes,
    find_target,
    is_interactive,
    is_recipe_name,
    job_of,
    json_option,
    locked_option,
    network_option,
    only_option,
    operator,
    profile_option,
    provider_option,
    recipe_argument,
    set_option,
    tell,
    terminal_width,
    webhook_option,
    write,
    write_json,
)
from runner.cli.retirement import Days, report_closings
from runner.cli.source_options import source_options
from runner.errors import DetachedError, JobFailedError, RunnerError, UsageError
from runner.execution.outcome import detached, failure
from runner.execution.polling import poll_s
from runner.execution.watching import Update, follow
from runner.lock.lockfile import LockedJob, LockedRun, read_lockfile
from runner.planning.stages import all_stages
from runner.planning.value import Planned
from runner.recipe.choosing import chosen
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import load_recipe
from runner.report import machine, terminal
from runner.report.progress import JobProgress
from runner.running import following, several
from runner.running.saved_plan import read_plan
from runner.sharing.webhook import check_webhook


def paid_job_options(command: Command) -> Command:
    """What may be spent on a job, and at which host."""
    options = (
        click.option("--yes", is_flag=True, help="Start a paid job without asking."),
        click.option("--allow-unknown-price", is_flag=True, help="Start a job whose price is not known."),
        click.option("--max-cost", type=click.FloatRange(0), help="Refuse a job above this many US dollars."),
        allow_host_option,
    )
    for add in reversed(options):
        command = add(command)
    return command


class TerminalConsole:
    """Speaks with the person at the terminal; results go to stdout, all of this to stderr."""

    def __init__(self, progress: JobProgress, *, yes: bool) -> None:
        self.progress = progress
        self.yes = yes

    def confirm(self, plans: Sequence[Planned]) -> bool:
        """Show the plans; ask where they cost money."""
        stages = all_stages(plans)
        tell(terminal.datasets_text(stages))
        tell(terminal.plans_text(stages))
        n_paid = sum(stage.host.paid and stage.plan.creates_job for stage in stages)
        if self.yes or not n_paid:
            return True
        if not is_interactive():
            raise RunnerError("a paid job needs a confirmation: pass --yes. Nothing was sent.")
        return click.confirm("Start the job?" if n_paid == 1 else f"Start the {n_paid} jobs?", err=True)

    def say(self, message: str) -> None:
        """Tell what is being done."""
        self.progress.line(message)

    def show(self, update: Update) -> None:
        """Show a job's progress."""
        self.progress.show(update)


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@network_option
@code_option
@source_options
@paid_job_options
@click.option("--retry", is_flag=True, help="Start a new attempt of a failed or cancelled job.")
@locked_option
@webhook_option
@json_option
def run(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    allow_code: bool,
    yes: bool,
    retry: bool,
    allow_unknown_price: bool,
    max_cost: float | None,
    locked: bool,
    webhook: str | None,
    as_json: bool,
) -> None:
    """Upload, train, follow the job to its end and write the lockfile. A second run finds nothing to do.

    A recipe with a matrix runs one job per combination; one that fails does not stop the others.
    RECIPE may be a plan saved by `plan --out`; it is refused when anything moved since.
    """
    saved = read_plan(recipe) if recipe is not None and recipe.suffix == ".json" else None
    if saved and (assignments or only):
        option = "--set" if assignments else "--only"
        raise UsageError(f"a saved plan is run as it was planned. Leave {option} out, or plan again with it.")
    path = saved.recipe if saved else find_recipe(recipe)
    if saved and profile not in (DEFAULT_PROFILE, saved.profile):
        raise UsageError(f"{recipe} was planned under the profile '{saved.profile}'. Leave --profile out.")
    decided = operator(
        profile=saved.profile if saved else profile,
        assignments=saved.assignments if saved else assignments,
        only=saved.only if saved else only,
        allow_network=allow_network,
        allow_code=allow_code,
        retry=retry,
        allow_unknown_price=allow_unknown_price,
        max_cost_usd=max_cost,
        locked=locked,
        webhook=webhook,
    )
    check_webhook(decided)
    with JobProgress(sys.stderr) as progress:
        done = several.run(path, decided, TerminalConsole(progress, yes=yes), saved)
    _report(done, as_json=as_json)


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@only_option
@provider_option
@click.option(
    "--check-retirement",
    "within",
    type=Days(),
    help="Ask no provider; fail with 7 when a base model is closed within these days, such as 60d.",
)
@json_option
def status(
    subject: str | None,
    *,
    profile: str,
    only: tuple[str, ...],
    provider: str | None,
    within: int | None,
    as_json: bool,
) -> None:
    """Show a job as its provider reports it now; of a matrix, what the lockfile says of all its jobs.

    With --check-retirement, all profiles of the recipe, or of every recipe here and in recipes/, are checked
    against the dates in host entries, and what `port` would do is named.
    """
    if within is not None:
        report_closings(find_recipes((Path(subject),) if subject else ()), within, as_json=as_json)
        return
    runs = _locked_jobs(subject, provider, profile, only)
    if len(runs) > 1:
        if as_json:
            write_json({"runs": {name: asdict(job) if job else None for name, job in runs.items()}})
        else:
            write(terminal.locked_jobs_text(runs, terminal_width()))
        return
    target = find_target(subject, provider, profile, only=only)
    with here(target):
        job = target.provider.retrieve_job(job_of(target))
        checkpoints = [item.model for item in target.provider.list_checkpoints(job.id)]
    if as_json:
        write_json({"job": machine.job_data(job), "checkpoints": checkpoints})
    else:
        write(terminal.job_text(job, checkpoints))


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@only_option
@provider_option
@webhook_option
@json_option
def watch(
    subject: str | None,
    *,
    profile: str,
    only: tuple[str, ...],
    provider: str | None,
    webhook: str | None,
    as_json: bool,
) -> None:
    """Follow a job to its end; with a recipe, the result is locked and a webhook told."""
    is_recipe = subject is None or is_recipe_name(subject)
    decided = operator(profile=profile, only=only, webhook=webhook)
    check_webhook(decided)
    with JobProgress(sys.stderr) as progress:
        console = TerminalConsole(progress, yes=False)
        if is_recipe and provider is None:
            recipe = find_recipe(Path(subject) if subject else None)
            run = following.watch(recipe, decided, console)
            _report_run(run, as_json=as_json)
        else:
            _watch_job(subject, provider, profile, console, as_json=as_json)


def _watch_job(
    subject: str | None, provider: str | None, profile: str, console: TerminalConsole, *, as_json: bool
) -> None:
    target = find_target(subject, provider, profile)
    job_id = job_of(target)
    interval_s = poll_s(is_local=target.host.is_local)
    last = None
    try:
        for update in follow(
            lambda: find_target(subject, provider, profile).provider, job_id, operator().clock, interval_s
        ):
            console.show(update)
            last = update.job
    except KeyboardInterrupt:
        raise DetachedError(
            detached(job_id, watch=target.command("watch"), cancel=target.command("cancel"))
        ) from None
    if last is None:
        raise AssertionError("BUG: a job was followed without an update")
    if last.status != "succeeded":
        retry = "`finetune run RECIPE --retry`"
        raise JobFailedError(failure(last, events=target.command("events"), retry=retry))
    if as_json:
        write_json({"job": machine.job_data(last)})
    else:
        write(terminal.job_text(last))


def _locked_jobs(
    subject: str | None, provider: str | None, profile: str, only: tuple[str, ...]
) -> dict[str, LockedJob | None]:
    """The locked jobs of a recipe's chosen runs by name; none for what is no recipe."""
    if provider is not None or (subject is not None and not is_recipe_name(subject)):
        return {}
    loaded = load_recipe(find_recipe(Path(subject) if subject else None), profile)
    locked = read_lockfile(loaded.lock_path).runs
    found = {each.run_key: locked.get(each.run_key) for each in chosen(loaded, only)}
    return {name: run.job if run else None for name, run in found.items()}


def _report_run(run: LockedRun, *, as_json: bool) -> None:
    if as_json:
        write_json({"run": machine.run_data(run)})
    elif run.job is not None:
        write(terminal.locked_job_text(run.job))


def _report(plans: Sequence[Planned], *, as_json: bool) -> None:
    jobs = {planned.loaded.run_key: planned.locked.job if planned.locked else None for planned in plans}
    if as_json:
        runs = {planned.loaded.run_key: machine.run_data(planned.locked) for planned in plans}
        run: Any = runs if len(plans) > 1 else next(iter(runs.values()))
        write_json({"plan": machine.plans_data(plans), "run": run})
    elif len(plans) > 1:
        write(terminal.locked_jobs_text(jobs, terminal_width()))
    else:
        _report_one(plans[0])


def _report_one(done: Planned) -> None:
    job = done.locked.job if done.locked else None
    if not done.plan.steps:
        write(terminal.plan_text(done))
    elif job is not None:
        write(terminal.locked_job_text(job))
        tell(f"locked in {done.loaded.lock_file}")
