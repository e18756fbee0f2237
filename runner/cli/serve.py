"""The serve command: the local service in the foreground."""

import os
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from runner.aliases import AliasBook
from runner.cli.host_options import user_hosts
from runner.cli.options import json_option, tell, write, write_json
from runner.errors import MissingExtraError, UsageError
from runner.local.launcher import LAUNCHER_VARIABLE, PROCESSES_VARIABLE, read_launcher
from runner.project import Project, find_project
from runner.providers.local_service import make_way, stop_service
from runner.upkeep.known_jobs import known_jobs

TOKEN_VARIABLE = "FINETUNE_SERVE_TOKEN"  # noqa: S105 - the name of a variable, not a token


@click.command()
@click.option(
    "--port", default=8642, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
@click.option(
    "--max-jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Jobs trained at a time."
)
@click.option(
    "--processes",
    type=click.IntRange(1, 4096),
    envvar=PROCESSES_VARIABLE,
    show_envvar=True,
    help="Processes that train a job together; 1 unless given.",
)
@click.option(
    "--launcher",
    metavar="COMMAND",
    envvar=LAUNCHER_VARIABLE,
    show_envvar=True,
    help="What starts them, such as 'accelerate launch --config_file fsdp.yaml'; torchrun unless given.",
)
@click.option("--allow-network", is_flag=True, help="Let every job fetch models from the Hugging Face hub.")
@click.option("--allow-code", is_flag=True, help="Let graders of type python run code on this machine.")
@click.option("--stop", is_flag=True, help="Stop this project's service instead; jobs in progress go on.")
@json_option
def serve(
    *,
    port: int,
    max_jobs: int,
    processes: int | None,
    launcher: str | None,
    allow_network: bool,
    allow_code: bool,
    stop: bool,
    as_json: bool,
) -> None:
    """Run the local service for any OpenAI client until Ctrl-C.

    The token comes from FINETUNE_SERVE_TOKEN; without it one is made and shown. An idle service that an
    earlier command started is replaced. What aliases.yaml says of local models is taken as a model's name.
    """
    project = find_project(Path.cwd())
    state = project.make_state()
    if stop:
        _report_stopped(is_stopped=stop_service(state), as_json=as_json)
        return
    try:
        from runner.local.serve import ServiceOptions
        from runner.local.serve import serve as serve_forever
    except ImportError as error:
        raise MissingExtraError(
            f"`finetune serve` needs the extra `local` ({error.name} is missing). "
            "Install it with: pip install 'finetune-runner[local]'"
        ) from error
    token, key = _token(), secrets.token_urlsafe(24)
    options = ServiceOptions(
        allow_network=allow_network,
        allow_code=allow_code,
        max_jobs=max_jobs,
        launcher=read_launcher(processes, launcher, Path.cwd()),
        alias_of=_alias_of(project),
        known_jobs=lambda: known_jobs(project, user_hosts()),
        dashboard_key=key,
    )
    make_way(state)
    announce = partial(_announce, token=token, key=key, as_json=as_json)
    serve_forever(state, port=port, token=token, options=options, announce=announce)


def _announce(base_url: str, *, token: str, key: str, as_json: bool) -> None:
    """Say where the service is, and where its dashboard opens once."""
    page = f"{base_url.removesuffix('/v1')}/?key={key}"
    if as_json:
        write_json({"base_url": base_url, "token": token, "dashboard": page})
        return
    tell(f"serving {base_url} for this project; Ctrl-C stops.")
    tell(f"  export OPENAI_BASE_URL={base_url}")
    if TOKEN_VARIABLE not in os.environ:
        tell(f"  export OPENAI_API_KEY={token}")
    tell(f"The dashboard opens once at {page}; `finetune dashboard` gives another address.")


def _alias_of(project: Project) -> Callable[[str], str | None]:
    """What tells the local model that an alias of the project stands for."""
    book = AliasBook(project)

    def alias_of(name: str) -> str | None:
        promotion = book.find(name)
        return promotion.model if promotion is not None and promotion.provider == "local" else None

    return alias_of


def _token() -> str:
    """The operator's token, or a new one. Raises UsageError for one that no client could send."""
    token = os.environ.get(TOKEN_VARIABLE)
    if token is None:
        return secrets.token_urlsafe(24)
    if not token or not all("!" <= character <= "~" for character in token):
        raise UsageError(
            f"{TOKEN_VARIABLE} is blank or has a space, a line end or a letter that no token has. "
            "Set another, or unset it to have one made."
        )
    return token


def _report_stopped(*, is_stopped: bool, as_json: bool) -> None:
    if as_json:
        write_json({"stopped": is_stopped})
    elif is_stopped:
        write("stopped the local service; jobs in progress go on, and the next command takes them over")
    else:
        write("no local service runs for this project")
