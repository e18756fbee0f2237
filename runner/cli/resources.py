"""Commands about what lies at a provider: files, models."""

from dataclasses import asdict

import click

from runner.cli.options import find_target, host_option, json_option, tell_if_cut, write, write_json
from runner.recipe.composition import DEFAULT_PROFILE
from runner.report import terminal


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
        write(terminal.files_text(listed[:limit]))


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
        write(terminal.files_text([file]))


@files.command("delete")
@click.argument("file_ids", metavar="FILE...", nargs=-1, required=True)
@host_option
@json_option
def delete_files(file_ids: tuple[str, ...], provider: str, as_json: bool) -> None:
    """Delete the named files at the provider."""
    connected = find_target(None, provider, DEFAULT_PROFILE).provider
    for file_id in file_ids:
        connected.delete_file(file_id)
    if as_json:
        write_json({"deleted": list(file_ids)})
    else:
        write("\n".join(f"deleted {file_id}" for file_id in file_ids))


@click.group()
def models() -> None:
    """List or delete models at a provider."""


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
        write(terminal.models_text(listed[:limit]))


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
