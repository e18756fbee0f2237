"""The standard streams, where a shell has closed them or a reader has gone."""

import os
import sys
from pathlib import Path

import click


def open_closed_streams() -> None:
    """Put nothing where the shell closed a stream (`<&-`), so that no file or pipe takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good


def emit(text: str, *, err: bool = False) -> None:
    """Write to stdout or stderr; where the reader, such as `head`, has gone, the command goes on."""
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, file=stream, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
