"""Where a project begins, where its state lives, and which paths stay inside it."""

import os
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import write_atomically
from runner.errors import RunnerError

ROOT_MARKERS = ("finetune.toml", ".git")
STATE_FOLDER = ".finetune"


def real_path(path: Path) -> Path:
    """A path, absolute, with links resolved; those in a circle stay, and opening one says what it is."""
    return Path(os.path.realpath(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What the person at the keyboard lets a recipe read, which no recipe can give itself.

    `folders` lie outside the project, absolute with symbolic links resolved. `max_unpacked_bytes` replaces
    the bounds on what comes out of a packed file. `files` are read in the place of the sources so named.
    """

    folders: tuple[Path, ...] = ()
    max_unpacked_bytes: int | None = None
    files: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder of recipes with one state folder; `root` is absolute with symbolic links resolved."""

    root: Path
    grants: Grants = Grants()

    @property
    def state(self) -> Path:
        """The git-ignored folder for everything that can be made again."""
        return self.root / STATE_FOLDER

    def name_of(self, path: Path) -> str:
        """Name a path relative to the project's root, with forward slashes."""
        resolved = real_path(path)
        if resolved.is_relative_to(self.root):
            return resolved.relative_to(self.root).as_posix()
        return Path(os.path.relpath(resolved, self.root)).as_posix()

    def contains(self, path: Path) -> bool:
        """Whether a path, symbolic links resolved, lies inside the project or a folder that is granted."""
        resolved = real_path(path)
        return any(resolved.is_relative_to(folder) for folder in (self.root, *self.grants.folders))

    def make_state(self) -> Path:
        """Create the state folder with its own .gitignore, and return it.

        Raises RunnerError where it, or a folder in it, is a link, which could lead out of the project.
        """
        inside = self.state.iterdir() if self.state.is_dir() else ()
        linked = next((path for path in (self.state, *inside) if path.is_symlink()), None)
        if linked is not None:
            raise RunnerError(f"{linked}: found a link, expected a folder of the project's own. Remove it.")
        ignore = self.state / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
        return self.state


def find_project(start: Path) -> Project:
    """Find the project of a recipe file or folder: the nearest ancestor with a marker, else its own folder.

    Raises RunnerError when `start` does not exist.
    """
    if not start.exists():
        raise RunnerError(f"{start}: not found. Give the path of a recipe file.")
    folder = start.resolve() if start.is_dir() else start.resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return Project(root=candidate)
    return Project(root=folder)
