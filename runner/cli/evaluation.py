"""The eval command: ask, score, compare, decide."""

import sys
from pathlib import Path

import click

from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    find_recipe,
    is_interactive,
    json_option,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    tell,
    terminal_width,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.errors import GateError, RunnerError, UsageError
from runner.evaluating.evaluate import Evaluated
from runner.evaluating.evaluate import evaluate as evaluate_recipe
from runner.evaluating.wanted import Wanted
from runner.report.evaluation_data import evaluation_data
from runner.report.evaluation_text import SHOWN_ROWS, evaluation_text

concurrency_option = click.option(
    "--concurrency", default=4, show_default=True, type=click.IntRange(1, 64), help="Questions at a time."
)
max_cost_option = click.option(
    "--max-cost", type=click.FloatRange(0), help="Refuse questions above this many US dollars."
)
unknown_price_option = click.option(
    "--allow-unknown-price", is_flag=True, help="Ask a model whose price is not known."
)
judge_option = click.option(
    "--judge", help="The host entry where graders ask models; by default the recipe's."
)
allow_code_option = click.option("--allow-code", is_flag=True, help="Let graders run Python from the recipe.")
yes_option = click.option("--yes", is_flag=True, help="Ask a paid model without a question first.")


class AskingConsole:
    """Speaks with the person at the terminal, on stderr."""

    def __init__(self, *, yes: bool) -> None:
        self.yes = yes
        self.is_open = False

    def confirm(self, text: str) -> bool:
        """Show what will be asked at which price, and ask."""
        tell(text)
        if self.yes:
            return True
        if not is_interactive():
            raise RunnerError("paid questions need a confirmation: pass --yes. Nothing was sent.")
        return click.confirm("Ask them?", err=True)

    def say(self, message: str) -> None:
        """Tell what is being done."""
        self.close()
        tell(message)

    def count(self, done: int, of: int) -> None:
        """Count on one line, on a terminal only."""
        if sys.stderr.isatty():
            click.echo(f"\r  {done} of {of}", err=True, nl=False)
            self.is_open = True

    def close(self) -> None:
        """End the line that counts."""
        if self.is_open:
            click.echo("", err=True)
        self.is_open = False


@click.command(name="eval")
@recipe_argument
@profile_option
@only_option
@set_option
@network_option
@source_options
@click.option(
    "--model",
    "models",
    multiple=True,
    help="Ask this model or alias too, or another recipe's; repeatable.",
)
@click.option("--provider", default=None, help="The host entry of --model; by default the recipe's.")
@click.option("--checkpoint", help="Ask a checkpoint too, by step or ID, or `all`.")
@judge_option
@click.option(
    "--volume", type=click.IntRange(1), help="Say when training pays for itself at this many requests."
)
@click.option(
    "--show", default=SHOWN_ROWS, show_default=True, type=click.IntRange(0), help="Wins and losses."
)
@click.option("--against", metavar="NAME", help="Whom the wins and losses are against, such as few_shot.")
@click.option(
    "--by", metavar="GRADER", help="Whose wins and losses; by default the gate's grader, else the first."
)
@click.option("--leaks/--no-leaks", default=None, help="Leave out what nearly repeats training records.")
@click.option("--bless", is_flag=True, help="Lock the evaluation even if the gate fails.")
@click.option("--no-lock", is_flag=True, help="Leave the lockfile as it is.")
@allow_code_option
@concurrency_option
@max_cost_option
@unknown_price_option
@yes_option
@allow_host_option
@json_option
def evaluate(
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    assignments: tuple[str, ...],
    allow_network: bool,
    models: tuple[str, ...],
    provider: str | None,
    checkpoint: str | None,
    judge: str | None,
    volume: int | None,
    show: int,
    against: str | None,
    by: str | None,
    leaks: bool | None,
    bless: bool,
    no_lock: bool,
    allow_code: bool,
    concurrency: int,
    max_cost: float | None,
    allow_unknown_price: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask the tuned model and its baselines the recipe's questions, score and compare the answers.

    Every answer is kept, so that a question is paid for once. A gate that fails exits with 7. An evaluation
    that passes is written into the lockfile, and later ones can be compared with it.
    """
    if bless and no_lock:
        raise UsageError("--bless locks the evaluation and --no-lock does not; expected one of them.")
    # Long by the options alone: what follows sorts them into whose they are, and asks once.
    decided = operator(
        profile=profile,
        only=only,
        assignments=assignments,
        allow_network=allow_network,
        max_cost_usd=max_cost,
        allow_unknown_price=allow_unknown_price,
    )
    wanted = Wanted(
        models=models,
        provider=provider,
        checkpoint=checkpoint,
        judge=judge,
        allow_code=allow_code,
        concurrency=concurrency,
        volume=volume,
        leaks=leaks,
        against=against,
        by=by,
        saves=not no_lock,
        blesses=bless,
    )
    console = AskingConsole(yes=yes)
    try:
        done = evaluate_recipe(find_recipe(recipe), decided, wanted, console)
    finally:
        console.close()
    report_evaluation(done, wanted, show, as_json=as_json)


def report_evaluation(
    done: Evaluated, wanted: Wanted, show: int, *, as_json: bool, gated: bool = True
) -> None:
    """Write an evaluation; where it is `gated`, exit with 7 if its gate failed."""
    gate = done.evaluation.gate if gated else None
    passed = gate is None or gate.passed
    if as_json:
        write_json({"ok": passed, "evaluation": evaluation_data(done.evaluation), "locked": done.locked})
    else:
        text = evaluation_text(
            done.evaluation, shown_rows=show, against=wanted.against, by=wanted.by, width=terminal_width()
        )
        write(text)
    if done.locked:
        tell(f"locked in {done.loaded.lock_file}")
    if not passed:
        raise click.exceptions.Exit(GateError.exit_code)
