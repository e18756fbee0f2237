"""Options by which a person lets the sources of a recipe reach further than the recipe itself may."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copyfileobj
from typing import Any, TypeVar

import click

from runner.dataset.effort import MAX_KEPT_BYTES
from runner.errors import UsageError
from runner.project import Grants

Command = TypeVar("Command", bound=Callable[..., Any])

_GRANTS = "runner.grants"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}
STDIN = "-"
CACHE_SIZE_VARIABLE = "FINETUNE_CACHE_SIZE"


def source_options(command: Command) -> Command:
    """Add the options to a command; what they grant is found by `granted`, not passed as arguments."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command


def granted() -> Grants:
    """What the options of the command that runs grant."""
    context = click.get_current_context(silent=True)
    given: dict[str, Any] = context.meta.get(_GRANTS, {}) if context else {}
    return Grants(**given)


class Size(click.ParamType[int]):
    """A number of bytes, such as 20GB or 512MiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        match = re.fullmatch(r"(\d{1,15})\s*([kmg]i?)?b?", str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is no size. Write 20GB or 512MiB.", param, ctx)
        return int(match[1]) * _UNITS[match[2] or ""]


def max_kept_bytes(environment: Mapping[str, str]) -> int:
    """The space that pieces of builds may take. Raises UsageError for what is no size."""
    given = environment.get(CACHE_SIZE_VARIABLE)
    if not given:
        return MAX_KEPT_BYTES
    try:
        return Size().convert(given, None, None)
    except click.BadParameter as error:
        raise UsageError(f"{CACHE_SIZE_VARIABLE}: {error.message}") from None


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        context.meta.setdefault(_GRANTS, {})[parameter.name] = value


def _remember_folders(context: click.Context, parameter: click.Parameter, value: tuple[Path, ...]) -> None:
    _remember(context, parameter, tuple(folder.resolve() for folder in value))


def _remember_files(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    paths: dict[str, str] = {}
    for item in value:
        name, _, path = item.partition("=")
        problem = ""
        if not (name and path):
            problem = f"{item!r} is not NAME=FILE or NAME=-."
        elif name in paths:
            problem = f"{name!r} is given twice."
        elif path == STDIN and STDIN in paths.values():
            problem = "only one source can read the standard input."
        elif path != STDIN and not Path(path).is_file():
            problem = f"{path!r} is no file."
        if problem:
            raise click.BadParameter(problem, context, parameter)
        paths[name] = path
    files = ((name, _spooled(context, name) if path == STDIN else Path(path)) for name, path in paths.items())
    _remember(context, parameter, tuple(files))


def _spooled(context: click.Context, name: str) -> Path:
    """The standard input as a file: it is read more than once, and hashed before."""
    import tempfile

    folder = context.with_resource(tempfile.TemporaryDirectory(prefix="finetune-stdin-"))
    path = Path(folder) / Path(name).name
    with path.open("wb") as out:
        copyfileobj(sys.stdin.buffer, out)
    return path


_OPTIONS = (
    click.option(
        "--source",
        "files",
        multiple=True,
        metavar="NAME=FILE",
        expose_value=False,
        callback=_remember_files,
        help="Read this file in the place of a named source; NAME=- reads the standard input. Repeatable.",
    ),
    click.option(
        "--allow-path",
        "folders",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        expose_value=False,
        callback=_remember_folders,
        help="Let the recipe read files of this folder outside the project. Repeatable.",
    ),
    click.option(
        "--max-unpacked",
        "max_unpacked_bytes",
        type=Size(),
        expose_value=False,
        callback=_remember,
        help="Let packed and columnar files hold so much, such as 20GB, instead of 8 GiB or 200 times their "
        "size.",
    ),
)
