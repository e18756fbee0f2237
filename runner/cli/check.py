"""Commands that judge data: check, explain."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from runner import checking, fixing
from runner.cli.options import (
    find_recipes,
    only_option,
    operator,
    profile_option,
    set_option,
    tell,
    without_locks,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.dataset.checks.checked import Checked
from runner.dataset.checks.registry import RULES
from runner.display import counted
from runner.errors import UsageError
from runner.hints import did_you_mean
from runner.operator import Operator
from runner.report.annotations import annotations_text
from runner.report.check_json import checked_data, rule_data
from runner.report.check_text import checked_text
from runner.report.junit import junit_text
from runner.report.rules_text import rule_text, rules_text
from runner.report.sarif import sarif_data

_DATA_SUFFIXES = (".jsonl", ".ndjson")


def _as_json(data: object) -> str:
    return json.dumps(data, ensure_ascii=True, indent=2)


_FORMATS: dict[str, Callable[[Sequence[Checked]], str]] = {
    "text": checked_text,
    "json": lambda checked: _as_json(checked_data(checked)),
    "sarif": lambda checked: _as_json(sarif_data(checked)),
    "junit": junit_text,
    "github": annotations_text,
}


@click.command()
@click.argument("paths", metavar="[RECIPE|FILE.jsonl]...", nargs=-1, type=click.Path(path_type=Path))
@profile_option
@set_option
@only_option
@source_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    show_default=True,
    help="The output.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="Old findings to count but not to show, in the place of the recipe's `checks.baseline`.",
)
@click.option("--write-baseline", is_flag=True, help="Accept what is found now: write it to the baseline.")
@click.option("--fix", is_flag=True, help="Repair what is safe, with a diff; data in a copy beside it.")
@click.option(
    "--in-place", is_flag=True, help="With --fix: change data files where they lie, if git has them."
)
@click.option(
    "--provider", default="openai", show_default=True, help="For a training file: the host it is meant for."
)
@click.option("--model", default=None, help="For a training file: the base model, which bounds the length.")
def check(
    paths: tuple[Path, ...],
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    form: str,
    as_json: bool,
    baseline: Path | None,
    write_baseline: bool,
    fix: bool,
    in_place: bool,
    provider: str,
    model: str | None,
) -> None:
    """Build datasets, run the recipes' tests, and say what the checks find; errors exit with 1.

    Without a path it takes every recipe here and in recipes/. A file of examples in the chat format is
    checked as it is.
    """
    decided = operator(profile=profile, assignments=assignments, only=only)
    chosen = find_recipes(without_locks(paths))
    if baseline is not None and len(chosen) > 1:
        raise UsageError("found several recipes for one --baseline. Name the one it belongs to.")
    if write_baseline:
        _write_baselines(chosen, decided, baseline, as_json=as_json or form == "json")
        return
    if in_place and not fix:
        raise UsageError("found --in-place without --fix. Add --fix.")
    if fix:
        _fix(chosen, decided, in_place=in_place)
    if model is not None:
        files = [path for path in chosen if path.suffix.lower() in _DATA_SUFFIXES]
        warnings = (checking.unknown_length(path, decided, provider, model) for path in files)
        for warning in filter(None, dict.fromkeys(warnings)):
            tell(warning)
    checked = [
        checking.check_file(path, decided, provider, model)
        if path.suffix.lower() in _DATA_SUFFIXES
        else checking.check_recipe(path, decided, baseline)
        for path in chosen
    ]
    click.echo(_FORMATS["json" if as_json else form](checked))
    if any(item.has_errors for item in checked):
        raise click.exceptions.Exit(1)


def _write_baselines(
    paths: Sequence[Path], decided: Operator, baseline: Path | None, *, as_json: bool
) -> None:
    written = []
    for path in paths:
        if path.suffix.lower() in _DATA_SUFFIXES:
            raise UsageError(
                f"{path}: found a training file, expected a recipe: only its records have names."
            )
        adopted = checking.adopt(path, decided, baseline)
        tell(f"wrote {adopted.file} ({counted(adopted.n_findings, 'finding')})")
        if adopted.unnamed:
            tell(f"Name it in {path}: `checks: {{baseline: {adopted.unnamed}}}`.")
        written.append({"file": adopted.file, "findings": adopted.n_findings})
    if as_json:
        write_json({"baselines": written})


def _fix(paths: Sequence[Path], decided: Operator, *, in_place: bool) -> None:
    for path in paths:
        if path.suffix.lower() in _DATA_SUFFIXES:
            raise UsageError(f"{path}: found a training file, expected a recipe: --fix repairs its sources.")
        loaded, repairs = fixing.find_repairs(path, decided, in_place=in_place)
        for note in repairs.notes:
            tell(f"not repaired: {note}")
        if not repairs.files:
            tell(f"{loaded.document.file}: nothing to repair")
            continue
        tell(repairs.diff(loaded))
        fixing.apply_repairs(loaded, repairs, decided)
        for repair in repairs.files:
            tell(f"wrote {loaded.project.name_of(repair.target)}")


@click.command()
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
def explain(code: str | None, as_json: bool) -> None:
    """Say what a check looks for, why, and what to do; without a code, list them all."""
    if code is None:
        chosen = list(RULES.values())
    else:
        named = {rule.name: rule.code for rule in RULES.values()}
        wanted = named.get(code.lower(), code.upper())
        if wanted not in RULES:
            raise UsageError(f"found no check '{code}'. {did_you_mean(code.upper(), RULES)}")
        chosen = [RULES[wanted]]
    if as_json:
        write_json({"checks": [rule_data(rule) for rule in chosen]})
    else:
        write(rules_text(chosen) if code is None else rule_text(chosen[0]))
