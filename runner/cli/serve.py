"""The serve command: the local service in the foreground."""

import os
import secrets
from pathlib import Path

import click

from runner.cli.options import tell
from runner.errors import MissingExtraError
from runner.project import find_project

TOKEN_VARIABLE = "FINETUNE_SERVE_TOKEN"  # noqa: S105 - the name of a variable, not a token


@click.command()
@click.option(
    "--port", default=8642, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
@click.option("--allow-network", is_flag=True, help="Let every job fetch models from the Hugging Face hub.")
def serve(port: int, allow_network: bool) -> None:
    """Run the local service for any OpenAI client until Ctrl-C.

    The token comes from FINETUNE_SERVE_TOKEN; without it one is made and shown.
    """
    try:
        from runner.local.serve import serve as serve_forever
    except ImportError as error:
        raise MissingExtraError(
            f"`finetune serve` needs the extra `local` ({error.name} is missing). "
            "Install it with: pip install 'finetune-runner[local]'"
        ) from error
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)
    state = find_project(Path.cwd()).make_state()

    def announce(base_url: str) -> None:
        tell(f"serving {base_url} for this project; Ctrl-C stops.")
        tell(f"  export OPENAI_BASE_URL={base_url}")
        if not os.environ.get(TOKEN_VARIABLE):
            tell(f"  export OPENAI_API_KEY={token}")

    serve_forever(state, port=port, token=token, allow_network=allow_network, announce=announce)
