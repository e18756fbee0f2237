"""The predict command: the tuned model's answers about new records, as JSON lines."""

import json
from pathlib import Path
from typing import Any

import click

from runner.cli.evaluation import (
    AskingConsole,
    concurrency_option,
    max_cost_option,
    unknown_price_option,
    yes_option,
)
from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    FILE,
    find_recipe,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    tell,
)
from runner.cli.streams import emit
from runner.display import neutral_json
from runner.evaluating.predicting import Inquiry, Prediction
from runner.evaluating.predicting import predict as predict_records


@click.command()
@click.argument("data", type=FILE)
@recipe_argument
@profile_option
@allow_host_option
@only_option
@network_option
@click.option("--model", help="Ask this model, or what an alias stands for, instead.")
@click.option("--provider", default=None, help="The host entry to ask; by default the job's.")
@click.option("--variant", default="", help="Which of several templates; by default the first.")
@click.option(
    "--max-tokens",
    default=1024,
    show_default=True,
    type=click.IntRange(1),
    help="Cut answers off there.",
)
@concurrency_option
@max_cost_option
@unknown_price_option
@yes_option
@click.option("--json", "_", is_flag=True, help="Without effect: the output is JSON, a record on a line.")
def predict(
    data: Path,
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    allow_network: bool,
    model: str | None,
    provider: str | None,
    variant: str,
    max_tokens: int,
    concurrency: int,
    max_cost: float | None,
    allow_unknown_price: bool,
    yes: bool,
    _: bool,
) -> None:
    """Ask the tuned model about every record of DATA, in the words that it was trained with.

    The records need the fields of the prompt, not the answer; `where` does not apply. Every answer is a line
    of JSON; with one that failed the exit code is 1.
    """
    inquiry = Inquiry(
        model=model, provider=provider, variant=variant, max_tokens=max_tokens, concurrency=concurrency
    )
    console = AskingConsole(yes=yes)
    n_failed = 0
    try:
        decided = operator(
            profile=profile,
            only=only,
            allow_network=allow_network,
            max_cost_usd=max_cost,
            allow_unknown_price=allow_unknown_price,
        )
        for prediction in predict_records(data, find_recipe(recipe), decided, inquiry, console):
            emit(_line(prediction))
            n_failed += prediction.answer.failure is not None
    finally:
        console.close()
    if n_failed:
        what = (
            "1 record has no answer; its line says"
            if n_failed == 1
            else f"{n_failed} records have no answer; their lines say"
        )
        tell(f"{what} why.")
        raise click.exceptions.Exit(1)


def _line(prediction: Prediction) -> str:
    answer = prediction.answer
    value: dict[str, Any] = {
        "file": prediction.file,
        "row": prediction.row,
        "messages": [{"role": item.role, "content": item.content} for item in prediction.messages],
        "answer": None if answer.failure else answer.text,
        "failure": answer.failure,
        "finish_reason": answer.finish_reason,
    }
    if answer.tool_calls:
        value["tool_calls"] = list(answer.tool_calls)
    return neutral_json(json.dumps(value, ensure_ascii=False)) + "\n"
