"""Locks recipes without training: `python -m tests.locked RECIPE...` runs every profile in memory."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.canonical import sha256_file
from runner.execution.watching import Update
from runner.operator import Operator
from runner.planning.value import Planned
from runner.providers.base import Job, JobRequest, RemoteFile
from runner.recipe.load import load_profiles
from runner.running import several, state
from tests.fakes import MemoryProvider, StillClock


@dataclass
class KeyedProvider(MemoryProvider):
    """A provider whose IDs follow from what they name, as those of the embedded service do."""

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Store a file under an ID of its content."""
        stored = super().upload(path, filename=filename, key=key)
        file = replace(self.files.pop(stored.id), id=f"file-{sha256_file(path)[:24]}")
        self.files[file.id] = file
        return file

    def create_job(self, request: JobRequest) -> Job:
        """Store a job under an ID of its key."""
        stored = super().create_job(request)
        job = replace(self.jobs.pop(stored.id), id=f"ftjob-{request.key[:24]}")
        self.jobs[job.id] = job
        return job

    def retrieve_job(self, job_id: str) -> Job:
        """A job with its model, which is named by its ID."""
        job = super().retrieve_job(job_id)
        return replace(job, fine_tuned_model=job.fine_tuned_model and f"ft:{job.model}:{job_id[6:14]}")


class SilentConsole:
    """Says yes and nothing else."""

    def confirm(self, plans: Sequence[Planned]) -> bool:
        """Yes."""
        return True

    def say(self, message: str) -> None:
        """Nothing."""

    def show(self, update: Update) -> None:
        """Nothing."""


def lock(path: Path, profile: str = "default", provider: Any = None) -> None:
    """Run a recipe up to its lockfile."""
    provider = provider or KeyedProvider()
    opened = state.open_provider
    state.open_provider = lambda *_, **__: provider
    try:
        several.run(path, Operator(profile=profile, clock=StillClock()), SilentConsole())
    finally:
        state.open_provider = opened


if __name__ == "__main__":
    # One for all: a recipe may train another one's result further.
    shared = KeyedProvider()
    for recipe in map(Path, sys.argv[1:]):
        for name in load_profiles(recipe):
            lock(recipe, name, shared)
