"""The dashboard command: an address that opens the service's pages once, and news of jobs elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx2

from runner.cli.host_options import allow_host_option, user_hosts
from runner.cli.options import json_option, operator, tell, write, write_json
from runner.errors import ProviderError
from runner.project import Project, find_project
from runner.providers.local_service import ServiceAddress, ensure_service
from runner.upkeep.known_jobs import known_jobs

TIMEOUT_S = 10.0


@click.command()
@click.option("--open", "opens", is_flag=True, help="Open it in this machine's browser.")
@click.option("--follow", "follows", is_flag=True, help="Ask hosted providers too, until their jobs end.")
@allow_host_option
@json_option
def dashboard(*, opens: bool, follows: bool, as_json: bool) -> None:
    """Give an address at which this project's jobs are seen in a browser, live.

    The address works once and for ten minutes; the browser that opens it stays let in for twelve hours.
    The jobs of hosted providers are shown as the lockfiles have them. With --follow this command stays and
    asks their providers what became of them; the page shows it, and the lockfiles stay as they are.
    """
    project = find_project(Path.cwd())
    address = ensure_service(project.make_state())
    url = _page(address, known_jobs(project, user_hosts()))
    if opens:
        import webbrowser

        webbrowser.open(url)
    if as_json:
        write_json({"url": url})
    else:
        write(url)
        tell("It opens once. `finetune dashboard` gives another address.")
    if follows:
        _follow(project, address)


def _follow(project: Project, address: ServiceAddress) -> None:
    from runner.upkeep.hosted_news import follow_hosted, unfinished

    decided, last = operator(), dict[str, str]()
    waiting = unfinished(known_jobs(project, decided.user_hosts), project, decided)
    hosts = ", ".join(sorted({job["provider"] for job in waiting}))
    if not waiting:
        tell("No job at a hosted provider is unfinished.")
        return
    tell(f"Asking {hosts} about unfinished jobs; Ctrl-C stops asking, not the jobs.")

    def told(jobs: Sequence[Any], news: Sequence[Any]) -> None:
        _post(address, "news", {"jobs": jobs, "news": news})
        for item in news:
            said = item.get("trouble") or item["status"]
            if last.get(item["id"]) != said:
                tell(f"{item['id']}: {said}")
                last[item["id"]] = said

    follow_hosted(project, decided, told)
    tell("All have ended. `finetune refresh` locks what became of them.")


def _page(address: ServiceAddress, jobs: list[dict[str, object]]) -> str:
    return f"{_root(address)}{_post(address, 'keys', {'jobs': jobs})['path']}"


def _post(address: ServiceAddress, path: str, value: dict[str, Any]) -> Any:
    root, headers = _root(address), {"authorization": f"Bearer {address.token}"}
    try:
        answer = httpx2.post(f"{root}/dashboard/{path}", json=value, headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderError(
            f"the local service at {root} did not answer for its dashboard ({type(error).__name__}). "
            "If it is of an earlier version, `finetune serve --stop` stops it; then try again."
        ) from error


def _root(address: ServiceAddress) -> str:
    return address.base_url.removesuffix("/v1")
