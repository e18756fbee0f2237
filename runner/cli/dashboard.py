"""The dashboard command: an address that opens the service's pages once."""

from pathlib import Path

import click
import httpx2

from runner.cli.options import json_option, tell, write, write_json
from runner.errors import ProviderError
from runner.project import find_project
from runner.providers.local_service import ServiceAddress, ensure_service
from runner.upkeep.known_jobs import known_jobs

TIMEOUT_S = 10.0


@click.command()
@click.option("--open", "opens", is_flag=True, help="Open it in this machine's browser.")
@json_option
def dashboard(*, opens: bool, as_json: bool) -> None:
    """Give an address at which this project's jobs are seen in a browser, live.

    The address works once and for ten minutes; the browser that opens it stays let in for twelve hours.
    The jobs of hosted providers are shown as the lockfiles have them.
    """
    project = find_project(Path.cwd())
    address = ensure_service(project.make_state())
    url = _page(address, known_jobs(project))
    if opens:
        import webbrowser

        webbrowser.open(url)
    if as_json:
        write_json({"url": url})
        return
    write(url)
    tell("It opens once. `finetune dashboard` gives another address.")


def _page(address: ServiceAddress, jobs: list[dict[str, object]]) -> str:
    root = address.base_url.removesuffix("/v1")
    headers = {"authorization": f"Bearer {address.token}"}
    try:
        answer = httpx2.post(
            f"{root}/dashboard/keys", json={"jobs": jobs}, headers=headers, timeout=TIMEOUT_S
        )
        answer.raise_for_status()
        return f"{root}{answer.json()['path']}"
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise ProviderError(
            f"the local service at {root} gave no address for its dashboard ({type(error).__name__}). "
            "If it is of an earlier version, `finetune serve --stop` stops it; then try again."
        ) from error
