"""The verify command: the lockfile against the sources, and against its provider."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner import pipeline
from runner.cli.options import (
    find_recipe,
    json_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.drift import Difference, find_drift
from runner.errors import StaleLockError
from runner.plan import Planned
from runner.upkeep.remote import check_remote


@click.command()
@recipe_argument
@profile_option
@source_options
@set_option
@click.option("--remote", is_flag=True, help="Also ask the provider whether files, job and model are there.")
@json_option
def verify(
    recipe: Path | None, *, profile: str, assignments: tuple[str, ...], remote: bool, as_json: bool
) -> None:
    """Rebuild the dataset from its sources and compare every hash with the lockfile; exit with 6 on drift.

    Sends nothing, does not use the cache of earlier builds, and needs no key but with --remote, which reads
    at the provider and exits with 6 where something is gone or another thing now.
    """
    decided = operator(profile=profile, assignments=assignments, locked=True)
    planned = pipeline.plan(find_recipe(recipe), decided)
    found = find_drift(planned)
    if not as_json:
        write(_text(planned, found))
    checks = check_remote(planned.loaded, planned.locked, decided) if remote and planned.locked else []
    wrong = [check for check in checks if check.state == "wrong"]
    if as_json:
        data: dict[str, Any] = {"ok": not found and not wrong}
        data["differences"] = [_difference_data(item) for item in found]
        write_json({**data, **({"remote": [asdict(check) for check in checks]} if remote else {})})
    elif checks:
        write("\n".join(map(str, checks)))
    if found or wrong:
        raise click.exceptions.Exit(StaleLockError.exit_code)


def _difference_data(difference: Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(difference).items() if value is not None}


def _text(planned: Planned, found: list[Difference]) -> str:
    lock = planned.loaded.project.name_of(planned.loaded.lock_path)
    if found:
        return "\n".join(f"{lock}: {difference}" for difference in found)
    files = len(planned.dataset.sources) + len(planned.dataset.templates) + len(planned.dataset.files)
    return f"{lock}: verified ({files} files, {planned.dataset.n_records} records)"
