"""Commands that stop before anything is sent: schema, validate, preview, build, plan."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import click

from runner import building, pipeline
from runner.building import supply_sources
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    locked_option,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    tell,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue
from runner.operator import Operator
from runner.pipeline import plan_all
from runner.planning.stages import all_stages
from runner.planning.value import Planned
from runner.providers.hosts import find_host
from runner.recipe.choosing import with_one_dataset
from runner.report import machine, terminal
from runner.running.refusals import refuse_all_unfit
from runner.schema import load_schema, schema_text

CHANGES_PENDING = 5


@click.command()
@click.argument("name", type=click.Choice(["recipe", "lockfile", "host", "aliases"]), default="recipe")
@json_option
def schema(name: str, as_json: bool) -> None:
    """Print the JSON Schema that defines recipes, lockfiles, host entries or aliases."""
    if as_json:
        write_json({"schema": load_schema(name)})
    else:
        write(schema_text(name).rstrip())


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@network_option
@source_options
@click.option(
    "-n", "count", default=3, show_default=True, help="How many conversations.", type=click.IntRange(1)
)
@json_option
def preview(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    count: int,
    as_json: bool,
) -> None:
    """Show the first conversations as they would be trained on."""
    decided = operator(profile=profile, assignments=assignments, only=only, allow_network=allow_network)
    with closing(pipeline.preview(find_recipe(recipe), decided)) as stream:
        shown = list(islice(stream, count))
    issues = [item for item in shown if isinstance(item, Issue)]
    if issues:
        raise InvalidInputError(issues)
    examples = [item for item in shown if not isinstance(item, Issue)]
    if as_json:
        write_json({"examples": [machine.example_data(example) for example in examples]})
        return
    write("\n\n".join(map(terminal.example_text, examples)) or "no record passed `where`")


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@network_option
@source_options
@click.option("-o", "--out", type=FILE, help="Also leave train.jsonl and validation.jsonl here.")
@click.option("--ray", metavar="ADDRESS", help="Build on a Ray cluster: auto, local, or host:port.")
@json_option
def build(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    out: Path | None,
    ray: str | None,
    as_json: bool,
) -> None:
    """Build the dataset and check it; errors exit with 1."""
    decided = operator(profile=profile, assignments=assignments, only=only, allow_network=allow_network)
    loaded = with_one_dataset(pipeline.validate(find_recipe(recipe), decided), only)
    supply_sources(loaded, decided)
    host = find_host(loaded.recipe.training.provider, decided.user_hosts, loaded.project)
    dataset = building.build(loaded, host, effort=replace(decided.effort, ray=ray))
    if as_json:
        write_json({"dataset": machine.dataset_data(dataset), "ok": not dataset.errors})
    else:
        write(terminal.dataset_text(dataset))
    if dataset.errors:
        raise click.exceptions.Exit(1)
    if out is not None:
        from shutil import copyfile

        names = ("train.jsonl", "validation.jsonl")
        out.mkdir(parents=True, exist_ok=True)
        for file, name in zip(dataset.files, names, strict=False):
            copyfile(dataset.path_of(file), out / name)
            tell(f"wrote {out / name}")


@click.command()
@recipe_argument
@profile_option
@set_option
@only_option
@network_option
@source_options
@click.option("--retry", is_flag=True, help="Plan a new attempt of a failed or cancelled job.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 5 when a run would do something.")
@locked_option
@click.option("-o", "--out", type=FILE, help="Also save the plan for `finetune run PLAN`.")
@json_option
def plan(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    allow_network: bool,
    retry: bool,
    detailed_exitcode: bool,
    locked: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say what a run would do and why, with its price. Nothing is sent."""
    decided = operator(
        profile=profile,
        assignments=assignments,
        only=only,
        allow_network=allow_network,
        retry=retry,
        locked=locked,
    )
    plans = plan_all(find_recipe(recipe), decided)
    if locked:
        from runner.planning.drift import refuse_drift

        for planned in plans:
            refuse_drift(planned)
    refusal = _refusal(plans, decided)
    stages = all_stages(plans)
    if as_json:
        said = str(refusal) if refusal else None
        write_json({"ok": refusal is None, "plan": machine.plans_data(plans), "refused": said})
    else:
        tell(terminal.datasets_text(stages))
        write(terminal.plans_text(stages))
    if refusal is not None:
        if not as_json and not any(stage.plan.blocked for stage in stages):
            tell(f"a run would stop here: {refusal}")
        raise click.exceptions.Exit(refusal.exit_code)
    if out is not None:
        from runner.running.saved_plan import save_plan

        save_plan(out, plans, only)
        tell(f"saved {out}")
    if detailed_exitcode and any(planned.plan.steps for planned in plans):
        raise click.exceptions.Exit(CHANGES_PENDING)


def _refusal(plans: Sequence[Planned], decided: Operator) -> RunnerError | None:
    try:
        refuse_all_unfit(plans, decided)
    except RunnerError as error:
        return error
    return None
