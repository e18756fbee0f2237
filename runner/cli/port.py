"""The command that moves a recipe to another host."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.options import (
    find_recipe,
    json_option,
    operator,
    profile_option,
    recipe_argument,
    tell,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.display import counted, one_line
from runner.errors import RunnerError
from runner.hints import command
from runner.porting import Destination, Proposal, propose
from runner.price import Price

_STATES = (("same", "stays"), ("translated", "translated"), ("lost", "lost"))
_LONGEST = 300


@click.command()
@recipe_argument
@click.option("--to", "host", required=True, help="The host entry to train at.")
@click.option("--model", default=None, help="The base model there; without it, the recipe's or the only one.")
@click.option("--as", "name", default=None, help="The profile to write; called like the host without it.")
@profile_option
@source_options
@click.option("--replace", is_flag=True, help="Replace a profile of that name.")
@click.option("--dry-run", is_flag=True, help="Show everything, write nothing.")
@json_option
def port(
    recipe: Path | None,
    *,
    host: str,
    model: str | None,
    name: str | None,
    profile: str,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Say what becomes of a recipe at another host, and write the profile for it.

    What maps, what is translated, what is lost; the price, the limits and the closing dates there. The change
    of the recipe is shown, then written; comments and everything else stay. Nothing is sent.
    """
    to = Destination(host=host, model=model, profile=name, replaces=replace)
    proposal = propose(find_recipe(recipe), operator(profile=profile), to)
    fits = not proposal.dataset.errors
    is_written = fits and not dry_run
    if not as_json:
        write(f"{_text(proposal)}\n{proposal.diff()}")
    if is_written:
        proposal.write()
    if as_json:
        write_json({"ok": fits, "port": _data(proposal), "written": is_written})
    if not fits and not as_json:
        raise RunnerError(
            f"the data does not fit {host}, so nothing was written. Repair it, then port again."
        )
    if not fits:
        raise click.exceptions.Exit(1)
    if is_written and not as_json:
        plan = command("plan", str(proposal.loaded.given), profile=proposal.profile)
        tell(f"wrote {proposal.loaded.file}; {plan} shows what a run would do")


def _text(proposal: Proposal) -> str:
    porting = proposal.porting
    source, target = porting.source, porting.target
    before = proposal.loaded.recipe.training.model
    head = f"{proposal.loaded.file}: {source.name}, {before} → {target.name}, {porting.model}"
    rows = [*_values(proposal), *_there(proposal)]
    width = max(len(name) for name, _ in rows)
    body = [f"  {name.ljust(width)}  {one_line(text, limit=_LONGEST)}" for name, text in rows]
    return "\n".join([f"{head} (profile {proposal.profile})", *body])


def _values(proposal: Proposal) -> Iterator[tuple[str, str]]:
    for state, name in _STATES:
        for value in proposal.porting.values:
            if value.state == state:
                yield name, str(value)


def _there(proposal: Proposal) -> Iterator[tuple[str, str]]:
    """What the target makes of the data, what it costs there, and what else is to know of it."""
    dataset, target = proposal.dataset, proposal.porting.target
    limits = target.limits
    files = " + ".join(
        f"{counted(file.n_examples, 'example')} in {file.size_bytes:,} bytes" for file in dataset.files
    )
    takes = f"from {limits.min_examples:,} examples on, files up to {limits.largest_bytes:,} bytes"
    yield "data", f"{files}; {target.name} takes {takes}"
    for finding in dataset.errors:
        yield "data", f"does not fit: {finding}"
    yield "price", f"{_price(proposal.price_before)} → {_price(proposal.price_after)}"
    if proposal.n_runs > 1:
        yield "price", f"for each of {proposal.n_runs} combinations"
    if target.model(proposal.porting.model) is None:
        near = target.near_model(proposal.porting.model)
        yield (
            "model",
            f"{target.name}'s entry does not have it: limits and price are unknown. {near}".rstrip(),
        )
    if proposal.closing:
        yield "closing", proposal.closing
    for notice in target.notices:
        yield "closing", f"{notice.text} from {notice.on}"
    if target.origin:
        yield "key", f"{target.origin} came with this project; its key needs your permission"
    if target.deployment:
        yield "then", target.deployment


def _price(price: Price) -> str:
    if price.usd is None:
        return f"unknown ({price.arithmetic})"
    return f"${price.usd:,.2f} ({price.arithmetic})"


def _data(proposal: Proposal) -> dict[str, Any]:
    porting = proposal.porting
    return {
        "recipe": proposal.loaded.file,
        "profile": proposal.profile,
        "from": {"provider": porting.source.name, "model": str(proposal.loaded.recipe.training.model)},
        "to": {"provider": porting.target.name, "model": porting.model},
        "values": [asdict(value) for value in porting.values],
        "price": {"before": asdict(proposal.price_before), "after": asdict(proposal.price_after)},
        "problems": [str(finding) for finding in proposal.dataset.errors],
        "closing": proposal.closing,
        "diff": proposal.diff(),
    }
