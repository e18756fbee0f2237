"""The compare command: two locked evaluations, or two models, side by side."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.evaluation import (
    AskingConsole,
    allow_code_option,
    concurrency_option,
    judge_option,
    max_cost_option,
    report_evaluation,
    unknown_price_option,
    yes_option,
)
from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    network_option,
    operator,
    profile_option,
    tell,
    terminal_width,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.display import neutralise, one_line
from runner.evaluating.comparing import Side, SideBySide, compare_locked, is_lock_or_recipe
from runner.evaluating.evaluate import evaluate
from runner.evaluating.wanted import Wanted
from runner.report.evaluation_data import comparison_data
from runner.report.evaluation_text import SHOWN_ROWS, comparison_lines, score_text
from runner.report.terminal import table_text


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@profile_option
@click.option("--recipe", type=FILE, help="Ask both this recipe's questions instead of comparing lockfiles.")
@click.option("--provider", default=None, help="The host entry of models; by default the recipe's.")
@network_option
@source_options
@judge_option
@allow_code_option
@concurrency_option
@max_cost_option
@unknown_price_option
@yes_option
@allow_host_option
@json_option
def compare(
    first: str,
    second: str,
    *,
    profile: str,
    recipe: Path | None,
    provider: str | None,
    allow_network: bool,
    judge: str | None,
    allow_code: bool,
    concurrency: int,
    max_cost: float | None,
    allow_unknown_price: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Compare two evaluations, or two models or checkpoints, side by side.

    Recipes and lockfiles, also as PATH@PROFILE, are compared by what is locked, and nothing is asked. Other
    names are models or aliases of the project: both are asked the recipe's questions.
    """
    decided = operator(
        profile=profile,
        allow_network=allow_network,
        max_cost_usd=max_cost,
        allow_unknown_price=allow_unknown_price,
    )
    if recipe is None and is_lock_or_recipe(first) and is_lock_or_recipe(second):
        _report(compare_locked(first, second, decided), as_json=as_json)
        return
    wanted = Wanted(
        models=(first, second),
        provider=provider,
        alone=True,
        judge=judge,
        allow_code=allow_code,
        concurrency=concurrency,
        saves=False,
    )
    console = AskingConsole(yes=yes)
    try:
        done = evaluate(find_recipe(recipe), decided, wanted, console)
    finally:
        console.close()
    report_evaluation(done, wanted, SHOWN_ROWS, as_json=as_json, gated=False)


def _report(found: SideBySide, *, as_json: bool) -> None:
    if as_json:
        write_json(_data(found))
        return
    graders = list(dict.fromkeys([*found.one.tuned.scores, *found.other.tuned.scores]))
    rows = [
        (side.name, side.tuned.model or "", *(_score(side, grader) for grader in graders))
        for side in (found.one, found.other)
    ]
    header = ("", "MODEL", *graders)
    write(table_text(header, rows, width=terminal_width()))
    for change in found.changes:
        write(f"  {change.path}: {one_line(str(change.before))} → {one_line(str(change.after))}")
    if found.reason is not None:
        write(f"not comparable: {found.reason}.")
        return
    for comparison in found.comparisons:
        for line in comparison_lines(comparison, is_paired=found.is_paired):
            write(neutralise(line))
    if not found.is_paired:
        tell("The answers are not on this machine: only means are compared. `finetune eval` asks again.")


def _score(side: Side, grader: str) -> str:
    score = side.tuned.scores.get(grader)
    return "–" if score is None else score_text(score)


def _data(found: SideBySide) -> dict[str, Any]:
    return {
        "sides": [
            {"name": side.name, "evaluation": asdict(side.past.locked)} for side in (found.one, found.other)
        ],
        "changes": [asdict(change) for change in found.changes],
        "paired": found.is_paired,
        "comparisons": [comparison_data(item) for item in found.comparisons],
        "not_comparable": found.reason,
    }
