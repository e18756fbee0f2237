"""Commands about what lies at a provider: files, models."""

from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.options import (
    find_target,
    host_option,
    json_option,
    operator,
    tell_if_cut,
    terminal_width,
    write,
    write_json,
)
from runner.errors import ProviderError, UsageError
from runner.project import find_project
from runner.recipe.composition import DEFAULT_PROFILE
from runner.report import terminal
from runner.report.alias_text import served_text
from runner.upkeep.promotion import served_on


@click.group()
def files() -> None:
    """List, show or delete files at a provider."""


@files.command("list")
@host_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
def list_files(provider: str, limit: int, as_json: bool) -> None:
    """List files, newest first."""
    listed = find_target(None, provider, DEFAULT_PROFILE).provider.list_files(limit + 1)
    has_more = tell_if_cut(listed, limit)
    if as_json:
        write_json({"files": [asdict(file) for file in listed[:limit]], "has_more": has_more})
    else:
        write(terminal.files_text(listed[:limit], terminal_width()))


@files.command("show")
@click.argument("file_id", metavar="FILE")
@host_option
@json_option
def show_file(file_id: str, provider: str, as_json: bool) -> None:
    """Show one file."""
    file = find_target(None, provider, DEFAULT_PROFILE).provider.retrieve_file(file_id)
    if as_json:
        write_json({"file": asdict(file)})
    else:
        write(terminal.files_text([file], terminal_width()))


@files.command("delete")
@click.argument("file_ids", metavar="FILE...", nargs=-1, required=True)
@host_option
@json_option
def delete_files(file_ids: tuple[str, ...], provider: str, as_json: bool) -> None:
    """Delete the named files at the provider."""
    connected = find_target(None, provider, DEFAULT_PROFILE).provider
    for number, file_id in enumerate(file_ids):
        try:
            connected.delete_file(file_id)
        except ProviderError as error:
            if not number:
                raise
            raise ProviderError(f"{error}\nDeleted before that: {', '.join(file_ids[:number])}.") from error
    if as_json:
        write_json({"deleted": list(file_ids)})
    else:
        write("\n".join(f"deleted {file_id}" for file_id in file_ids))


@click.group(invoke_without_command=True)
@click.option("--on", metavar="DAY", help="What each alias stood for on a day or at a time, or now.")
@json_option
@click.pass_context
def models(context: click.Context, on: str | None, as_json: bool) -> None:
    """List or delete models at a provider, or say what the project's aliases stood for.

    A day such as 2026-11-01 means its end in UTC; a time is written 2026-11-01T12:00:00Z.
    """
    if context.invoked_subcommand is not None:
        if on is not None or as_json:
            raise UsageError(f"--on and --json stand alone, or --json behind `{context.invoked_subcommand}`.")
        return
    if on is None:
        raise UsageError("expected `list`, `delete`, or --on with a day, such as --on now.")
    at, promotions = served_on(find_project(Path.cwd()), on, operator())
    if as_json:
        write_json({"at": at, "aliases": [asdict(each) for each in promotions]})
    else:
        write(served_text(at, promotions, terminal_width()))


@models.command("list")
@host_option
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
def list_models(provider: str, limit: int, as_json: bool) -> None:
    """List the models there are."""
    listed = find_target(None, provider, DEFAULT_PROFILE).provider.list_models(limit + 1)
    has_more = tell_if_cut(listed, limit)
    if as_json:
        write_json({"models": [asdict(model) for model in listed[:limit]], "has_more": has_more})
    else:
        write(terminal.models_text(listed[:limit], terminal_width()))


@models.command("delete")
@click.argument("model", metavar="MODEL")
@host_option
@json_option
def delete_model(model: str, provider: str, as_json: bool) -> None:
    """Delete the named fine-tuned model; it cannot be brought back, only trained again."""
    find_target(None, provider, DEFAULT_PROFILE).provider.delete_model(model)
    if as_json:
        write_json({"deleted": [model]})
    else:
        write(f"deleted {model}")
