"""The one boundary where errors become messages and exit codes."""

import atexit
import errno
import gc
import os
import sys
from collections.abc import Mapping, Sequence

import click

from runner import __version__
from runner.cli.commands import COMMANDS, LazyGroup
from runner.cli.streams import emit, open_closed_streams, write_any_character
from runner.display import neutral_json, neutralise
from runner.errors import RunnerError, UsageError

BUG, INTERRUPTED, USAGE = 3, 130, 2
# Objects that are made before garbage is looked for; the start of a command makes some 40,000 that stay.
COLLECTED_AFTER = 50_000


@click.group(
    cls=LazyGroup, commands_by_name=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "--version", prog_name="finetune", message="%(prog)s %(version)s")
def finetune() -> None:
    """Version-controlled fine-tuning: a recipe in git, one reproducible job, one lockfile.

    \b
    Start:   finetune init data.json        write a recipe from a data file
             finetune run recipes/x.yaml    train, on this machine by default
             finetune chat recipes/x.yaml   ask the tuned model
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    gc.set_threshold(COLLECTED_AFTER)
    # What is left at the end goes with the process: a twentieth of a command that has nothing to do.
    atexit.register(gc.disable)
    open_closed_streams()
    write_any_character()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run a command; returns the exit code."""
    as_json = _wants_json(arguments)
    try:
        result = finetune.main(arguments, prog_name="finetune", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except SystemExit:
        # click ends so when the reader of its help has gone.
        return 0
    except click.ClickException as error:
        _show_usage(error, as_json=as_json)
        return USAGE
    except RunnerError as error:
        _show_error(error, as_json=as_json)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ninterrupted\n")
        _show_as_data(INTERRUPTED, "interrupted", as_json=as_json)
        return INTERRUPTED
    except OSError as error:
        _show_error(RunnerError(_failure_of_the_system(error)), as_json=as_json)
        return 1
    except Exception as error:  # noqa: BLE001 - the boundary: anything else is our bug, and becomes a log file
        if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
            _show_error(RunnerError(_failure_of_the_locale(error)), as_json=as_json)
            return 1
        _show_bug(arguments, as_json=as_json)
        return BUG


# What to do about a file or disk that refuses.
_REMEDIES = {
    errno.ENOSPC: "Free some space, with `finetune gc` for example, and repeat the command.",
    errno.EDQUOT: "Free some space, with `finetune gc` for example, and repeat the command.",
    errno.EROFS: "Work in a copy of the project that can be written to.",
    errno.EACCES: "Give yourself the permission, or work in a copy of the project.",
    errno.EFBIG: "Raise the limit on the size of files (`ulimit -f`), and repeat the command.",
    errno.EMFILE: "Raise the limit on open files (`ulimit -n`), and repeat the command.",
}


def _failure_of_the_system(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{name}{error.strerror or error}. {remedy}".rstrip()


def _failure_of_the_locale(error: UnicodeEncodeError) -> str:
    found = error.object[error.start : error.end]
    return (
        f"found '{found}' in a file name, expected characters of {error.encoding}: that is what this locale "
        "writes file names in. Set PYTHONUTF8=1 and repeat the command."
    )


def _wants_json(arguments: list[str]) -> bool:
    """Whether results, and so errors, are to be JSON: `--json`, or `--format json` where a command has it."""
    pairs = zip(arguments, arguments[1:], strict=False)
    return "--json" in arguments or "--format=json" in arguments or ("--format", "json") in pairs


def _show_usage(error: click.ClickException, *, as_json: bool) -> None:
    if as_json:
        _show_error(UsageError(error.format_message()), as_json=True)
        return
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{error.format_message()}\n")
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    usage = f"{context.get_usage()}\n" if context else ""
    sys.stderr.write(neutralise(f"{usage}error: {error.format_message()}\n"))


def _show_error(error: RunnerError, *, as_json: bool) -> None:
    if as_json:
        from runner.report.machine import error_data

        _write_error(error_data(error))
        return
    text = neutralise(str(error))
    is_list = getattr(error, "issues", None)
    sys.stderr.write(f"{text}\n" if is_list else f"error: {text}\n")


def _write_error(data: Mapping[str, object]) -> None:
    import json

    text = neutral_json(json.dumps({"ok": False, "error": data}, ensure_ascii=False, indent=2))
    emit(f"{text}\n")


def _show_as_data(exit_code: int, message: str, *, as_json: bool) -> None:
    """What ends a command and is no RunnerError, for programs that read stdout."""
    if as_json:
        _write_error({"exit_code": exit_code, "message": message})


def _show_bug(arguments: list[str], *, as_json: bool) -> None:
    # Read at every start otherwise, `--help` included.
    import tempfile
    import traceback

    handle, name = tempfile.mkstemp(prefix="finetune-bug-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(f"finetune-runner {__version__}, Python {sys.version}, {sys.platform}\n")
        stream.write(f"command: {arguments}\n\n{traceback.format_exc()}")
    reason = traceback.format_exc().strip().splitlines()[-1]
    message = f"{neutralise(reason)}\nThis is a fault of finetune-runner. Please report it with {name}."
    sys.stderr.write(f"bug: {message}\n")
    _show_as_data(BUG, message, as_json=as_json)
