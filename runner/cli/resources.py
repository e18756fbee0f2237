"""Commands about what lies at a provider: files, models."""

from dataclasses import asdict

import click

from runner.cli.options import find_target, json_option, provider_option, write, write_json
from runner.recipe.composition import DEFAULT_PROFILE
from runner.report import terminal


@click.group()
def files() -> None:
    """List, show or delete files at a provider (the local service unless --provider names another)."""


@files.command("list")
@provider_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
def list_files(provider: str | None, limit: int, as_json: bool) -> None:
    """List files, newest first."""
    listed = find_target(None, provider or "local", DEFAULT_PROFILE).provider.list_files(limit)
    if as_json:
        write_json({"files": [asdict(file) for file in listed]})
    else:
        write(terminal.files_text(listed))


@files.command("show")
@click.argument("file_id", metavar="FILE")
@provider_option
@json_option
def show_file(file_id: str, provider: str | None, as_json: bool) -> None:
    """Show one file."""
    file = find_target(None, provider or "local", DEFAULT_PROFILE).provider.retrieve_file(file_id)
    if as_json:
        write_json({"file": asdict(file)})
    else:
        write(terminal.files_text([file]))


@files.command("delete")
@click.argument("file_ids", metavar="FILE...", nargs=-1, required=True)
@provider_option
@json_option
def delete_files(file_ids: tuple[str, ...], provider: str | None, as_json: bool) -> None:
    """Delete the named files at the provider."""
    connected = find_target(None, provider or "local", DEFAULT_PROFILE).provider
    for file_id in file_ids:
        connected.delete_file(file_id)
    if as_json:
        write_json({"deleted": list(file_ids)})
    else:
        write("\n".join(f"deleted {file_id}" for file_id in file_ids))


@click.group()
def models() -> None:
    """List or delete models at a provider (the local service unless --provider names another)."""


@models.command("list")
@provider_option
@json_option
def list_models(provider: str | None, as_json: bool) -> None:
    """List the models there are."""
    listed = find_target(None, provider or "local", DEFAULT_PROFILE).provider.list_models()
    if as_json:
        write_json({"models": [asdict(model) for model in listed]})
    else:
        write(terminal.models_text(listed))


@models.command("delete")
@click.argument("model", metavar="MODEL")
@provider_option
@json_option
def delete_model(model: str, provider: str | None, as_json: bool) -> None:
    """Delete the named fine-tuned model; it cannot be brought back, only trained again."""
    find_target(None, provider or "local", DEFAULT_PROFILE).provider.delete_model(model)
    if as_json:
        write_json({"deleted": [model]})
    else:
        write(f"deleted {model}")
