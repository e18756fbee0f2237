"""The command that lays out recipes."""

import difflib
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runner.canonical import write_atomically
from runner.cli.options import (
    find_recipes,
    is_lock,
    json_option,
    recipes_in,
    tell,
    without_locks,
    write,
    write_json,
)
from runner.cli.recipes import CHANGES_PENDING
from runner.display import counted
from runner.errors import InvalidInputError, UsageError
from runner.issues import Issue, Place
from runner.recipe.extending import FOUND_LOCKFILE
from runner.recipe.formatting import format_recipe
from runner.report.machine import error_data

STDIN = Path("-")


@click.command()
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--check", is_flag=True, help="Write nothing; list the recipes that would change, and exit with 5."
)
@click.option("--diff", "as_diff", is_flag=True, help="Write nothing; show what would change.")
@json_option
def fmt(paths: tuple[Path, ...], *, check: bool, as_diff: bool, as_json: bool) -> None:
    """Lay out recipes in one way: keys in the schema's order, one value per line, comments kept.

    PATHS are recipes, folders of them, or - for stdin to stdout; without any, all recipes here and in
    recipes/. What a recipe means stays as it is, and so does the text of every value and comment.
    """
    problems: list[Issue] = []
    layouts = list(_layouts(_files(paths), problems))
    changed = [item for item in layouts if item.is_changed]
    is_written = not (check or as_diff)
    if is_written:
        for item in changed:
            item.save()
    if as_json:
        _write_data(layouts, problems)
    elif STDIN in paths and is_written:
        _pass_on(layouts)
    else:
        _write_changes(changed, as_diff=as_diff, is_written=is_written)
        tell(_summary(len(changed), len(layouts), is_written=is_written))
    if problems:
        raise click.exceptions.Exit(1) if as_json else InvalidInputError(problems)
    if check and changed:
        raise click.exceptions.Exit(CHANGES_PENDING)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A recipe as it is and as it would be."""

    path: Path
    before: bytes
    after: bytes

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return _name(self.path)

    @property
    def is_changed(self) -> bool:
        """Whether the file is laid out otherwise."""
        return self.before != self.after

    @property
    def difference(self) -> str:
        """What would change, as a unified diff."""
        before, after = (
            side.decode("utf-8-sig").splitlines(keepends=True) for side in (self.before, self.after)
        )
        lines = difflib.unified_diff(before, after, f"a/{self.name}", f"b/{self.name}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def save(self) -> None:
        """Write the file in one step, with the mode it has."""
        if self.path != STDIN:
            write_atomically(self.path, self.after, mode=stat.S_IMODE(self.path.stat().st_mode))


def _name(path: Path) -> str:
    return "stdin" if path == STDIN else path.as_posix()


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    if STDIN in paths and len(paths) > 1:
        raise UsageError("found - among other paths, expected stdin or files, not both.")
    for path in find_recipes(without_locks(paths)):
        if path.is_dir():
            yield from recipes_in(path)
        else:
            yield path


def _layouts(paths: Iterator[Path], problems: list[Issue]) -> Iterator[Layout]:
    for path in dict.fromkeys(paths):
        try:
            before = _read(path)
            yield Layout(path=path, before=before, after=format_recipe(before, _name(path)))
        except InvalidInputError as error:
            problems += error.issues


def _read(path: Path) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    refused = None
    if is_lock(path):
        refused = FOUND_LOCKFILE
    elif path.is_symlink():
        refused = "found a link, expected a file. Name the file it leads to."
    elif path.exists() and not path.is_file():
        refused = "found no regular file, expected one. Save the recipe as one."
    elif not path.is_file():
        refused = "not found. Give the path of a recipe file."
    if refused is None:
        try:
            return path.read_bytes()
        except OSError as error:
            refused = f"cannot be read: {error.strerror}."
    raise InvalidInputError([Issue(place=Place(file=_name(path)), message=refused)])


def _pass_on(layouts: list[Layout]) -> None:
    """Write to stdout exactly what was laid out."""
    for item in layouts:
        sys.stdout.buffer.write(item.after)
    sys.stdout.flush()


def _write_changes(changed: list[Layout], *, as_diff: bool, is_written: bool) -> None:
    for item in changed:
        if as_diff:
            write(item.difference.removesuffix("\n"))
        else:
            write(f"laid out {item.name}" if is_written else item.name)


def _summary(n_changed: int, n_all: int, *, is_written: bool) -> str:
    recipes = counted(n_all, "recipe")
    if not n_changed:
        return f"nothing to lay out in {recipes}"
    did = "laid out" if is_written else "would be laid out otherwise; `finetune fmt` does it"
    return f"{n_changed} of {recipes} {did}"


def _write_data(layouts: list[Layout], problems: list[Issue]) -> None:
    listed = [{"file": item.name, "changed": item.is_changed, "diff": item.difference} for item in layouts]
    data = {"ok": not problems, "recipes": listed}
    if problems:
        data["error"] = error_data(InvalidInputError(problems))
    write_json(data)
