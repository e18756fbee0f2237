"""The gc command: what is kept only to be quick."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.options import json_option, operator, write, write_json
from runner.cli.source_options import CACHE_SIZE_VARIABLE, Size
from runner.dataset.effort import MAX_KEPT_BYTES
from runner.project import find_project
from runner.upkeep.cleaning import Freed, clean


@click.command()
@click.option(
    "--max-size",
    type=Size(),
    default=MAX_KEPT_BYTES,
    envvar=CACHE_SIZE_VARIABLE,
    show_envvar=True,
    help="Keep so much of pieces; 10GiB by default.",
)
@click.option(
    "--days",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Keep datasets that no lockfile names for so long.",
)
@click.option("--all", "everything", is_flag=True, help="Keep neither; the same as --max-size 0 --days 0.")
@click.option("--dry-run", is_flag=True, help="Remove nothing, say what would be.")
@json_option
def gc(*, max_size: int, days: float, everything: bool, dry_run: bool, as_json: bool) -> None:
    """Free the space of what this project's state folder keeps only to be quick.

    Removed are pieces of builds above a size, datasets that no lockfile of the project names, and what killed
    commands left. Journals, histories, lockfiles, copied sources, paid answers and trained models stay.
    """
    freed = clean(
        find_project(Path.cwd()),
        operator().clock,
        max_bytes=0 if everything else max_size,
        days=0.0 if everything else days,
        dry_run=dry_run,
    )
    if as_json:
        write_json({"dry_run": dry_run, "freed": [asdict(each) for each in freed]})
        return
    for each in freed:
        write(_line(each))
    total = sum(each.n_bytes for each in freed)
    write(f"{'would free' if dry_run else 'freed'} {total:,} bytes" if freed else "nothing to free")


def _line(freed: Freed) -> str:
    return f"{freed.kind}: {freed.n_files:,} files, {freed.n_bytes:,} bytes ({freed.why})"
