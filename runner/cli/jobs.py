"""Commands about jobs at a provider: jobs, events, cancel."""

from dataclasses import asdict

import click

from runner.cli.elsewhere import here
from runner.cli.options import (
    find_target,
    job_of,
    json_option,
    only_option,
    profile_option,
    provider_option,
    tell_if_cut,
    terminal_width,
    write,
    write_json,
)
from runner.report import machine, terminal


@click.command()
@click.argument("subject", metavar="[RECIPE]", required=False)
@profile_option
@provider_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@json_option
def jobs(subject: str | None, *, profile: str, provider: str | None, limit: int, as_json: bool) -> None:
    """List the provider's jobs, newest first: the recipe's provider, or --provider, or the local service."""
    target = find_target(subject, provider, profile, recipe_needed=False)
    listed = target.provider.list_jobs(limit + 1)
    has_more = tell_if_cut(listed, limit)
    if as_json:
        write_json({"jobs": [machine.job_data(job) for job in listed[:limit]], "has_more": has_more})
    else:
        write(terminal.jobs_text(listed[:limit], terminal_width()))


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@only_option
@provider_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
def events(
    subject: str | None,
    *,
    profile: str,
    only: tuple[str, ...],
    provider: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the latest events of a job, oldest first."""
    target = find_target(subject, provider, profile, only=only)
    with here(target):
        listed = target.provider.list_events(job_of(target), limit + 1)
    has_more = tell_if_cut(listed, limit)
    if as_json:
        write_json({"events": [asdict(event) for event in listed[-limit:]], "has_more": has_more})
    else:
        write("\n".join(map(terminal.event_text, listed[-limit:])) or "no events")


@click.command()
@click.argument("subject", metavar="[RECIPE|JOB]", required=False)
@profile_option
@only_option
@provider_option
@json_option
def cancel(
    subject: str | None, *, profile: str, only: tuple[str, ...], provider: str | None, as_json: bool
) -> None:
    """Cancel a job; what it trained so far is lost. `finetune run --retry` starts again."""
    target = find_target(subject, provider, profile, only=only)
    with here(target):
        job = target.provider.cancel_job(job_of(target))
    if as_json:
        write_json({"job": machine.job_data(job)})
    else:
        write(f"{job.id}: {job.status}")
