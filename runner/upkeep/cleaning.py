"""Frees what a project's state folder keeps only to be quick; nothing that cannot be made again."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.clock import Clock
from runner.dataset.kept_pieces import trim
from runner.lock.lockfile import read_lockfile
from runner.project import Project

# A build that runs meanwhile may be about to use what it has just written.
GRACE_S = 3_600
DAY_S = 86_400
LEFTOVERS = ("cache/.*", "datasets/.building.*", "sources/.copying.*", "push-*")
DATASETS = (".jsonl", ".index", ".hits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """Files of one kind that were removed, or would be, and why."""

    kind: str
    why: str
    n_files: int
    n_bytes: int


def clean(project: Project, clock: Clock, *, max_bytes: int, days: float, dry_run: bool) -> list[Freed]:
    """Drop pieces above a size, and datasets of no lockfile that are older than so many days.

    Journals, histories, lockfiles, answers, sources and models stay. Raises StaleLockError for a lockfile
    that cannot be read: nothing is removed then.
    """
    state = project.make_state()
    now = clock.now()
    named = _named_by_lockfiles(project)
    pieces = trim(state / "cache" / "pieces", max_bytes, dry_run=dry_run)
    old = list(_old_builds(state, named, now - max(days * DAY_S, GRACE_S)))
    leftovers = [path for pattern in LEFTOVERS for path in state.glob(pattern) if _age_s(path, now) > DAY_S]
    freed = [
        Freed(kind="pieces of builds", why="not used for longest", n_files=pieces[0], n_bytes=pieces[1]),
        _removed("datasets", f"in no lockfile, and older than {days:g} days", old, dry_run=dry_run),
        _removed("leftovers", "of commands that were killed", leftovers, dry_run=dry_run),
    ]
    return [each for each in freed if each.n_files]


def _named_by_lockfiles(project: Project) -> set[str]:
    """The hashes of all dataset files that a lockfile of the project names."""
    named: set[str] = set()
    for folder, folders, files in os.walk(project.root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(".lock.yaml"):
                for run in read_lockfile(Path(folder) / name).runs.values():
                    sides = (run.training_file, run.validation_file)
                    named |= {run.index, *(side.file.sha256 for side in sides if side)}
    return named


def _old_builds(state: Path, named: set[str], before: float) -> Iterator[Path]:
    """Datasets and what is remembered of their builds, last written before a time and named by nobody."""
    kept = set(named)
    for path in state.glob("cache/*.json"):
        if path.name == "files.json":
            continue
        content = _files_of_build(path)
        if named & content or _written(path) >= before:
            # Its hits are in no lockfile, and go with the rest of it.
            kept |= content
        else:
            yield path
    for path in state.glob("datasets/*"):
        is_dataset = path.suffix in DATASETS and not path.name.startswith(".")
        if is_dataset and path.stem not in kept and _written(path) < before:
            yield path


def _files_of_build(path: Path) -> set[str]:
    try:
        stored = json.loads(path.read_bytes())
        sides = (stored["training_file"], stored["validation_file"])
        return {stored["index"], stored["hits"], *(side["sha256"] for side in sides if side)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _removed(kind: str, why: str, paths: list[Path], *, dry_run: bool) -> Freed:
    n_bytes = 0
    for path in paths:
        inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        n_bytes += sum(_size(each) for each in inside)
        if not dry_run and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not dry_run:
            path.unlink(missing_ok=True)
    return Freed(kind=kind, why=why, n_files=len(paths), n_bytes=n_bytes)


def _age_s(path: Path, now: float) -> float:
    return now - _written(path)


def _written(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return float("inf")


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
