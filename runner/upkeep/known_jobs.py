"""The jobs that a project's lockfiles name, as the dashboard shows them."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.lock.lockfile import LockedJob, LockedRun, read_lockfile
from runner.price import Price, locked_price
from runner.project import Project
from runner.providers.hosts import Host, find_host

SUFFIX = ".lock.yaml"
# Folders that hold other people's files.
SKIPPED = ("node_modules", "site-packages")


def known_jobs(project: Project, user_hosts: Path | None = None) -> list[dict[str, Any]]:
    """The job of every run of every lockfile; a lockfile that cannot be read is left out.

    `base_model` is what all training began with. The price is by the host entries of project and user, and
    None where there is no entry.
    """
    found = [item for path in _lockfiles(project.root) for item in _runs(path)]
    made = {job.fine_tuned_model: job.model for _, _, _, job in found}

    @cache
    def host_of(name: str) -> Host | None:
        try:
            return find_host(name, user_hosts, project)
        except RunnerError:
            return None

    return [
        {
            "id": job.id,
            "recipe": project.name_of(path).removesuffix(SUFFIX),
            "run": name,
            "provider": job.provider,
            "status": job.status,
            "model": job.model,
            "fine_tuned_model": job.fine_tuned_model,
            "method": job.method,
            "base_model": _base_model(job.model, made),
            "trained_tokens": job.trained_tokens,
            **price_data(_price(run, job, made, host_of)),
        }
        for path, name, run, job in found
    ]


def price_data(price: Price | None) -> dict[str, str | None]:
    """A price as the dashboard is told of it."""
    if price is None:
        return {"price": None, "arithmetic": None}
    return {"price": price.amount, "arithmetic": price.arithmetic}


def _lockfiles(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIX))


def _runs(path: Path) -> Iterator[tuple[Path, str, LockedRun, LockedJob]]:
    try:
        runs = read_lockfile(path).runs
    except (RunnerError, OSError):
        return
    yield from ((path, name, run, run.job) for name, run in runs.items() if run.job is not None)


def _base_model(name: str, made: Mapping[str | None, str]) -> str:
    """The model that a chain of locked jobs started from."""
    seen = {name}
    while name in made and made[name] not in seen:
        name = made[name]
        seen.add(name)
    return name


def _price(
    run: LockedRun,
    job: LockedJob,
    made: Mapping[str | None, str],
    host_of: Callable[[str], Host | None],
) -> Price | None:
    host = host_of(job.provider)
    return locked_price(run, host, host.model(_base_model(job.model, made))) if host else None
