"""Gives a locally trained model out as a folder that other programs load."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_file
from runner.errors import RunnerError, UsageError
from runner.project import Project
from runner.providers.local_service import service_environment

# The folder that holds the `runner` package, so that `python -m` finds it without an install.
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """One file of an exported model."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A model in a folder: a whole `model`, an `adapter`, or an adapter `merged` into its base."""

    folder: Path
    kind: str
    files: tuple[ExportedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A job's final model or the checkpoint of a `step`; an adapter may be merged into its base model."""

    job_id: str
    step: int | None = None
    merge: bool = False


def export_model(project: Project, wanted: Wanted, folder: Path, card: Callable[[str], str]) -> Exported:
    """Write a model with a model card into a folder that is new or empty: all of it or nothing.

    `card` makes the card's text for a kind. Raises UsageError for a folder that holds something, RunnerError
    where the model is not here or cannot be merged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: found something there, expected a new or empty folder. Name another.")
    written = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(written, ignore_errors=True)
    written.mkdir(parents=True)
    try:
        kind = _copied(project, wanted, written)
        (written / "README.md").write_text(card(kind), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        written.rename(folder)
    finally:
        shutil.rmtree(written, ignore_errors=True)
    files = tuple(
        ExportedFile(name=path.name, size_bytes=path.stat().st_size, sha256=sha256_file(path))
        for path in sorted(folder.iterdir())
    )
    return Exported(folder=folder, kind=kind, files=files)


def _copied(project: Project, wanted: Wanted, target: Path) -> str:
    command = [sys.executable, "-m", "runner.local.export", "--state", str(project.state), "--job"]
    command += [wanted.job_id, "--to", str(target.resolve())]
    command += ["--step", str(wanted.step)] if wanted.step is not None else []
    command += ["--merge"] if wanted.merge else []
    done = subprocess.run(  # noqa: S603 - our own module
        command, cwd=PACKAGE_ROOT, env=service_environment(), capture_output=True, text=True, check=False
    )
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise RunnerError(f"the model could not be exported: {last}") from None
    if "error" in said:
        raise RunnerError(said["error"])
    return str(said["kind"])
