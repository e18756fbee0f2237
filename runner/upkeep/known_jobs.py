"""The jobs that a project's lockfiles name, as the dashboard shows them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.lock.lockfile import read_lockfile
from runner.project import Project

SUFFIX = ".lock.yaml"
# Folders that hold other people's files.
SKIPPED = ("node_modules", "site-packages")


def known_jobs(project: Project) -> list[dict[str, Any]]:
    """The job of every run of every lockfile; a lockfile that cannot be read is left out."""
    return [job for path in _lockfiles(project.root) for job in _jobs(path, project)]


def _lockfiles(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIX))


def _jobs(path: Path, project: Project) -> Iterator[dict[str, Any]]:
    try:
        runs = read_lockfile(path).runs
    except (RunnerError, OSError):
        return
    recipe = project.name_of(path).removesuffix(SUFFIX)
    for name, run in runs.items():
        if run.job is not None:
            yield {
                "id": run.job.id,
                "recipe": recipe,
                "run": name,
                "provider": run.job.provider,
                "status": run.job.status,
                "model": run.job.model,
                "fine_tuned_model": run.job.fine_tuned_model,
            }
