"""The merge-lock command: git's merge driver for lockfiles, and its installation."""

import os
import shutil
from pathlib import Path

import click

from runner.cli.options import json_option, tell, write, write_json
from runner.errors import RunnerError, UsageError
from runner.lock.driver import Versions, install, merge_files

Versioned = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("merge-lock")
@click.argument("base", metavar="[%O]", type=Versioned, required=False)
@click.argument("ours", metavar="[%A]", type=Versioned, required=False)
@click.argument("theirs", metavar="[%B]", type=Versioned, required=False)
@click.argument("name", metavar="[%P]", required=False)
@click.option("--install", "installs", is_flag=True, help="Let this repository merge its lockfiles so.")
@json_option
def merge_lock(
    base: Path | None,
    ours: Path | None,
    theirs: Path | None,
    name: str | None,
    *,
    installs: bool,
    as_json: bool,
) -> None:
    """Merge a lockfile run by run; git calls it with the files %O %A %B and the path %P.

    A run that one side changed is taken from that side. Where both sides changed the same run, both stand
    between conflict markers and the exit code is 1. --install writes a line of .gitattributes and two
    settings of this repository, nothing of the user's.
    """
    if installs:
        if base is not None:
            raise UsageError("--install takes no files.")
        _install(as_json=as_json)
        return
    if base is None or ours is None or theirs is None:
        raise UsageError("expected the files %O %A %B from git. `finetune merge-lock --install` sets it up.")
    merged = merge_files(Versions(base=base, ours=ours, theirs=theirs, name=name or ours.name))
    conflicts = merged.conflicts if merged else ()
    if as_json:
        write_json({"ok": not conflicts, "conflicts": list(conflicts)})
    if conflicts:
        names = ", ".join(f"'{profile}'" for profile in conflicts)
        told = RunnerError(
            f"{name or ours.name}: both sides changed the run of {names}. Keep one of the two between the "
            "markers, delete the other and the marker lines, `git add` the file, and ask `finetune plan` "
            "what that leaves to do."
        )
        if not as_json:
            raise told
        raise click.exceptions.Exit(told.exit_code)


def _install(*, as_json: bool) -> None:
    written = install(Path.cwd(), os.environ)
    if as_json:
        write_json({"written": written})
    else:
        write("\n".join(f"wrote {line}" for line in written) or "nothing to do: it is installed already")
    if shutil.which("finetune") is None:
        tell("warning: git will look for `finetune` on the PATH, and there is none.")
