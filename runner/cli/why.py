"""The why command: the training records that a text most likely comes from."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.options import (
    find_recipe,
    json_option,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.display import one_line
from runner.evaluating.tracing import Trace, trace
from runner.report.machine import example_data
from runner.report.terminal import key_text

SHOWN_CHARACTERS = 200


@click.command()
@click.argument("text")
@recipe_argument
@profile_option
@only_option
@network_option
@source_options
@click.option("-n", "count", default=3, show_default=True, type=click.IntRange(1, 100), help="How many.")
@json_option
def why(
    text: str,
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    allow_network: bool,
    count: int,
    as_json: bool,
) -> None:
    """Find the training records nearest to a question or an answer, with file, row and git commit.

    Of a record with several variants, the nearest is shown.
    Nearness says where an answer may come from; no model is asked and nothing is proven. A JSONL row has its
    own commit, a row of another format the last one of its file.
    """
    decided = operator(profile=profile, only=only, allow_network=allow_network)
    found = trace(text, find_recipe(recipe), decided, count)
    if as_json:
        write_json({"records": [_data(each) for each in found]})
    elif found:
        write("\n\n".join(_text(number, each) for number, each in enumerate(found, start=1)))
    else:
        write("no training record shares anything with it")


def _text(number: int, found: Trace) -> str:
    near = found.near
    head = f"{number}. {near.example.place}, key {key_text(near.example.key)}"
    if near.example.variant and not near.example.is_copy:
        head += f", variant {one_line(near.example.variant)}"
    lines = [f"{head}: {near.share:.0%} of the text stands there, BM25 {near.score:.1f}"]
    if found.commit is not None:
        of = "row" if found.commit_is_of_row else "file"
        lines.append(
            f"   last commit of the {of}: {found.commit.sha[:10]} {found.commit.day} "
            f"{one_line(found.commit.subject)}"
        )
    lines += [
        f"   {message.role}: {one_line(message.content, limit=SHOWN_CHARACTERS)}"
        for message in near.example.messages
    ]
    return "\n".join(lines)


def _data(found: Trace) -> dict[str, Any]:
    return {
        **example_data(found.near.example),
        "score": found.near.score,
        "share": found.near.share,
        "commit": asdict(found.commit) if found.commit else None,
        "commit_is_of_row": found.commit_is_of_row,
    }
