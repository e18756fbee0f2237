"""The standard streams: closed by a shell, left by their reader, or in an encoding that lacks characters."""

import codecs
import io
import os
import sys

import click


def open_closed_streams() -> None:
    """Put nothing where the shell closed a stream (`<&-`), so that no file or pipe takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for good, and pathlib is not imported yet


def write_any_character() -> None:
    """Let stdout and stderr take any text, whatever the locale.

    A file or pipe gets UTF-8, the same bytes on any machine; a terminal, and a stream whose encoding
    PYTHONIOENCODING names, keeps it. What an encoding lacks is written as in JSON, so that JSON stays JSON.
    """
    codecs.register_error("json", _as_json_escapes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            keeps = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=stream.encoding if keeps else "utf-8", errors="json")


def _as_json_escapes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{text[start : start + 4]}" for start in range(0, len(text), 4)), error.end


def emit(text: str, *, err: bool = False) -> None:
    """Write to stdout or stderr; where the reader, such as `head`, has gone, the command goes on."""
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, file=stream, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
