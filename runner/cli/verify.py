"""The verify command: the lockfile against the sources, and against its provider."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    find_recipe,
    json_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    set_option,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.errors import StaleLockError
from runner.pipeline import plan_all
from runner.planning.drift import Difference, find_drift
from runner.planning.value import Planned
from runner.report.machine import difference_data
from runner.upkeep.remote import RemoteCheck, check_remote


@click.command()
@recipe_argument
@profile_option
@source_options
@set_option
@only_option
@click.option("--remote", is_flag=True, help="Also ask the provider whether files, job and model are there.")
@allow_host_option
@json_option
def verify(
    recipe: Path | None,
    *,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    remote: bool,
    as_json: bool,
) -> None:
    """Rebuild the dataset from its sources and compare every hash with the lockfile; exit with 6 on drift.

    Sends nothing, does not use the cache of earlier builds, and needs no key but with --remote, which reads
    at the provider and exits with 6 where something is gone or another thing now.
    """
    decided = operator(profile=profile, assignments=assignments, only=only, locked=True)
    plans = plan_all(find_recipe(recipe), decided)
    data: dict[str, Any] = {}
    ok = True
    for planned in plans:
        found = find_drift(planned)
        if not as_json:
            write(_text(planned, found))
        checks = check_remote(planned.loaded, planned.locked, decided) if remote and planned.locked else []
        if checks and not as_json:
            write("\n".join(map(str, checks)))
        ok = ok and not found and not any(check.state == "wrong" for check in checks)
        data[planned.loaded.run_key] = _data(found, checks if remote else None)
    if as_json:
        write_json({"ok": ok, **({"runs": data} if len(plans) > 1 else next(iter(data.values())))})
    if not ok:
        raise click.exceptions.Exit(StaleLockError.exit_code)


def _data(found: list[Difference], checks: list[RemoteCheck] | None) -> dict[str, Any]:
    remote = {} if checks is None else {"remote": [asdict(check) for check in checks]}
    return {"differences": [difference_data(item) for item in found], **remote}


def _text(planned: Planned, found: list[Difference]) -> str:
    lock = planned.loaded.lock_file
    if planned.loaded.combination:
        lock = f"{lock}: {planned.loaded.run_key}"
    if found:
        return "\n".join(f"{lock}: {difference}" for difference in found)
    files = len(planned.dataset.sources) + len(planned.dataset.templates) + len(planned.dataset.files)
    return f"{lock}: verified ({files} files, {planned.dataset.n_records} records)"
