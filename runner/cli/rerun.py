"""The rerun command: does the lockfile reproduce?"""

import sys
from pathlib import Path

import click

from runner.cli.options import (
    code_option,
    find_recipe,
    json_option,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    write,
    write_json,
)
from runner.cli.runs import TerminalConsole, paid_job_options
from runner.cli.source_options import source_options
from runner.errors import DetachedError
from runner.execution.comparison import Comparison
from runner.report.comparison_text import comparison_data, comparison_text
from runner.report.progress import JobProgress
from runner.upkeep.rerun import rerun as rerun_job

DIFFERS = 5


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@network_option
@code_option
@source_options
@paid_job_options
@json_option
def rerun(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    allow_code: bool,
    yes: bool,
    allow_unknown_price: bool,
    max_cost: float | None,
    as_json: bool,
) -> None:
    """Train again from exactly what the lockfile says, and compare the result with the locked one.

    Refuses a recipe or source that is not as locked (6). Exits with 0 where nothing differs, 5 where
    something does, 4 where the new job fails. A success is locked with its attempt; the job before it goes to
    the history.
    """
    decided = operator(
        profile=profile,
        assignments=assignments,
        only=only,
        allow_network=allow_network,
        allow_code=allow_code,
        allow_unknown_price=allow_unknown_price,
        max_cost_usd=max_cost,
    )

    def report(comparison: Comparison) -> None:
        if as_json:
            write_json({"ok": not comparison.differences, **comparison_data(comparison)})
        else:
            write(comparison_text(comparison))
        sys.stdout.flush()

    with JobProgress(sys.stderr) as progress:
        try:
            done = rerun_job(find_recipe(recipe), decided, TerminalConsole(progress, yes=yes), report)
        except KeyboardInterrupt:
            raise DetachedError("interrupted; the same command goes on from where it was.") from None
    if done.differences:
        raise click.exceptions.Exit(DIFFERS)
