"""Lockfiles in git: the driver that merges them, and how a repository is told to use it."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import write_atomically
from runner.display import one_line
from runner.errors import RunnerError, StaleLockError
from runner.lock.merge import Merged, merge_lockfiles

DRIVER = "finetune-lock"
ATTRIBUTE = f"*.lock.yaml merge={DRIVER}"
SETTINGS = {
    f"merge.{DRIVER}.name": "merge lockfiles of finetune-runner run by run",
    f"merge.{DRIVER}.driver": "finetune merge-lock %O %A %B %P",
}
KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The files that git gives a merge driver; the result replaces `ours`, `name` is where it will lie."""

    base: Path
    ours: Path
    theirs: Path
    name: str


def merge_files(versions: Versions) -> Merged | None:
    """Merge three versions of a lockfile into the file of ours.

    Returns None where one of them is no lockfile that can be read: git's own merge of lines was written then.
    Raises RunnerError where that left conflicts.
    """
    contents = [path.read_bytes() for path in (versions.base, versions.ours, versions.theirs)]
    try:
        merged = merge_lockfiles(contents[0], contents[1], contents[2], versions.name)
    except StaleLockError as error:
        _merge_lines(versions, error)
        return None
    write_atomically(versions.ours, merged.content, mode=versions.ours.stat().st_mode & 0o777)
    return merged


def install(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Tell the repository of a folder to merge lockfiles with this program; returns what was written.

    Only its .gitattributes and its own configuration are touched. Raises RunnerError.
    """
    root = Path(_git(folder, environment, "rev-parse", "--show-toplevel").rstrip("\n"))
    written = _add_attribute(root, environment)
    for name, value in SETTINGS.items():
        if _setting(root, environment, name) != value:
            _git(root, environment, "config", "--local", name, value)
            written.append(f"git config --local {name} '{value}'")
    return written


def _add_attribute(root: Path, environment: Mapping[str, str]) -> list[str]:
    attributes = root / ".gitattributes"
    said = _git(root, environment, "check-attr", "merge", "--", "recipes/x.lock.yaml")
    found = said.rstrip("\n").rpartition(": ")[2]
    if found == DRIVER:
        return []
    if found != "unspecified":
        raise RunnerError(
            f"{attributes}: found merge={one_line(found)} for lockfiles, expected none. "
            "Remove it, then install again."
        )
    if attributes.is_symlink():
        raise RunnerError(f"{attributes}: found a link, which git does not read. Replace it by a file.")
    before = attributes.read_bytes() if attributes.exists() else b""
    gap = b"" if before.endswith(b"\n") or not before else b"\n"
    write_atomically(attributes, before + gap + f"{ATTRIBUTE}\n".encode())
    return [f"{attributes.name}: {ATTRIBUTE}"]


def _setting(root: Path, environment: Mapping[str, str], name: str) -> str | None:
    try:
        return _git(root, environment, "config", "--local", "--get", name).rstrip("\n")
    except RunnerError:
        return None


def _merge_lines(versions: Versions, reason: StaleLockError) -> None:
    files = [str(path) for path in (versions.ours, versions.base, versions.theirs)]
    labels = [option for label in ("ours", "base", "theirs") for option in ("-L", label)]
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "merge-file", "--quiet", *labels, "--", *files],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise RunnerError("found no git on this machine.") from error
    if done.returncode:
        raise RunnerError(
            f"{reason}\n{versions.name}: merged line by line, and conflicts are left."
        ) from reason


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    kept = {name: environment[name] for name in KEPT_VARIABLES if name in environment}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            env={**kept, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError as error:
        raise RunnerError("found no git on this machine. Install it first.") from error
    if done.returncode:
        complaint = done.stderr.decode("utf-8", "replace").strip()
        if "not a git repository" in complaint:
            raise RunnerError(f"{folder} is in no git repository. Make one with `git init` first.")
        raise RunnerError(f"git says: {one_line(complaint, limit=200) or 'nothing'}")
    return os.fsdecode(done.stdout)
