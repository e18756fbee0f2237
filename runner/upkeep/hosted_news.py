"""What hosts say of a project's jobs that have not ended, asked again and again while someone watches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from math import isfinite
from operator import itemgetter
from typing import Any

from runner.errors import RunnerError
from runner.execution.polling import pause_s, poll_s
from runner.operator import Operator
from runner.price import trained_price
from runner.project import Project
from runner.providers.base import Checkpoint, NotFoundError, NotOfferedError, Provider
from runner.providers.hosts import Host, find_host
from runner.providers.statuses import TERMINAL
from runner.running.state import provider_of
from runner.upkeep.known_jobs import known_jobs, price_data

EVENTS = 100
CHECKPOINTS = 100

Known = Mapping[str, Any]
# Is given all known jobs, and the news of those that were asked about.
Tell = Callable[[Sequence[Known], Sequence[Known]], None]


def unfinished(jobs: Iterable[Known], project: Project, operator: Operator) -> list[Known]:
    """The jobs that have not ended by their lockfiles, at hosts other than the local service, by host."""
    live = [job for job in jobs if job["status"] not in TERMINAL]
    return sorted((job for job in live if not _is_local(job, project, operator)), key=itemgetter("provider"))


def follow_hosted(project: Project, operator: Operator, tell: Tell) -> None:
    """Ask about the jobs of a project until all of them have ended. Nothing is sent and nothing locked.

    The lockfiles are read each time, so that a job that is started meanwhile is followed too.
    """
    ended: set[str] = set()
    interval_s = poll_s(is_local=False)
    failures: dict[str, int] = {}
    due: dict[str, float] = {}
    while True:
        jobs = known_jobs(project, operator.user_hosts)
        waiting = [job for job in unfinished(jobs, project, operator) if job["id"] not in ended]
        if not waiting:
            return
        news: list[Known] = []
        for name, asked in groupby(waiting, key=itemgetter("provider")):
            if due.get(name, 0.0) > operator.clock.now():
                continue
            found, trouble = _ask(name, list(asked), project, operator)
            news += found
            failures[name] = failures.get(name, 0) + 1 if trouble else 0
            due[name] = operator.clock.now() + pause_s(interval_s, failures[name])
        ended |= {item["id"] for item in news if item.get("status") in TERMINAL or item.get("is_gone")}
        tell(jobs, news)
        if any(job["id"] not in ended for job in waiting):
            operator.clock.sleep(interval_s)


def _is_local(job: Known, project: Project, operator: Operator) -> bool:
    try:
        return find_host(job["provider"], operator.user_hosts, project).is_local
    except RunnerError:
        # Asking says what is wrong with it.
        return False


def _ask(name: str, jobs: Sequence[Known], project: Project, operator: Operator) -> tuple[list[Known], bool]:
    """What a host says of its jobs, and whether it could not be asked."""
    news: list[Known] = []
    try:
        host = find_host(name, operator.user_hosts, project)
        with closing(provider_of(host, project, operator)) as provider:
            for job in jobs:
                news.append(_news(provider, host, job))
    except RunnerError as error:
        return [*news, *({"id": job["id"], "trouble": str(error)} for job in jobs[len(news) :])], True
    return news, False


def _news(provider: Provider, host: Host, known: Known) -> Known:
    job_id = known["id"]
    try:
        job = provider.retrieve_job(job_id)
    except NotFoundError as error:
        return {"id": job_id, "trouble": str(error), "is_gone": True}
    tokens, base_model = job.trained_tokens, host.model(known["base_model"])
    price = None if tokens is None else trained_price(known["method"], tokens, host, base_model)
    return {
        "id": job_id,
        "status": job.status,
        "fine_tuned_model": job.fine_tuned_model,
        "trained_tokens": job.trained_tokens,
        "error": job.error.message if job.error else None,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "events": [
            {
                "created_at": event.created_at,
                "level": event.level,
                "message": event.message,
                "type": event.type,
                "data": _finite(event.data),
            }
            for event in provider.list_events(job_id, EVENTS)
        ],
        "checkpoints": [
            {"step": item.step, "model": item.model, "metrics": _finite(item.metrics)}
            for item in _checkpoints(provider, job_id)
        ],
        **price_data(price),
    }


def _checkpoints(provider: Provider, job_id: str) -> list[Checkpoint]:
    """The last checkpoints of a job; none at a host that does not offer them."""
    try:
        return provider.list_checkpoints(job_id)[-CHECKPOINTS:]
    except (NotFoundError, NotOfferedError):
        return []


def _finite(data: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers that JSON has; a loss may well be NaN."""
    return {name: value for name, value in data.items() if _is_finite(value)}


def _is_finite(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
