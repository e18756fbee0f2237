"""The files that a recipe is written in: its own and, through `extends`, others of the project."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.display import shown
from runner.errors import InvalidInputError, RunnerError
from runner.hints import nearest
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.paths import moved
from runner.recipe.yaml import Document, Keys, parse_yaml

MAX_FILES = 32
FOUND_LOCKFILE = "found a lockfile, which `finetune run` writes, expected a recipe. Name the one beside it."
_HEADING = "expected a recipe. `finetune init DATA` writes one to start from."


def read_files(path: Path, project: Project) -> list[Document]:
    """Read a recipe and all it extends: bases first, each file once, the recipe last.

    Paths in a base are written as from the recipe's folder. Raises InvalidInputError with every problem of
    every file, RunnerError when the recipe itself cannot be read.
    """
    reading = _Reading(project=project, folder=path.resolve().parent)
    document, issues = _read(path, project)
    reading.issues += issues
    if document is not None:
        reading.add(path.resolve(), document, ())
    if reading.issues:
        raise InvalidInputError(reading.issues)
    return list(reading.documents.values())


def named_bases(value: Any) -> list[tuple[Keys, str]]:
    """The paths under `extends` with their places; what is not a path is left to the schema."""
    extends = value.get("extends") if isinstance(value, dict) else None
    if isinstance(extends, str):
        return [(("extends",), extends)]
    items = extends if isinstance(extends, list) else []
    return [(("extends", index), item) for index, item in enumerate(items) if isinstance(item, str)]


def named_recipes(value: Any) -> list[str]:
    """The paths of all recipes that a file needs: its bases, and those whose results it trains further."""
    found = [name for _, name in named_bases(value)]
    parts = [value] if isinstance(value, dict) else []
    profiles = value.get("profiles") if parts else None
    for part in (*parts, *(profiles.values() if isinstance(profiles, dict) else ())):
        training = part.get("training") if isinstance(part, dict) else None
        model = training.get("model") if isinstance(training, dict) else None
        name = model.get("recipe") if isinstance(model, dict) else None
        found += [name] if isinstance(name, str) else []
    return found


def beside(name: str, folder: Path, project: Project) -> Path | str:
    """The recipe of a relative path, links resolved; a sentence for the user where it cannot be used."""
    if "://" in name:
        return f"found the URL {shown(name)}, expected a file in the project. Save it there."
    if name.startswith(("/", "~")) or "\\" in name or "\0" in name:
        return f"found the path {shown(name)}, expected one relative to this file. Change it."
    path = folder / name
    if not project.contains(path):
        return f"found {shown(name)} outside the project, expected a file inside it. Move the file there."
    if path.is_file():
        return path.resolve()
    found = "a folder" if path.is_dir() else "no file"
    files = sorted(path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    # All end alike, so only what stands before tells whether a name is near.
    near = nearest(path.name, [item.name for item in files if nearest(path.stem, [item.stem])])
    return f"found {found} at {shown(name)}, expected a recipe. {near or 'Correct the path.'}"


@dataclass(kw_only=True)
class _Reading:
    """Files read so far, by path, in the order in which they are laid over one another."""

    project: Project
    folder: Path
    documents: dict[Path, Document] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def add(self, path: Path, document: Document, chain: tuple[str, ...]) -> None:
        """Add a file after all that it extends; `chain` names the files that led here."""
        chain = (*chain, document.file)
        for keys, name in named_bases(document.value):
            message = self._extend(path, name, chain)
            if message:
                self.issues.append(document.issue(keys, message))
        self.documents[path] = moved(document, path.parent, self.folder)

    def _extend(self, path: Path, name: str, chain: tuple[str, ...]) -> str | None:
        base = beside(name, path.parent, self.project)
        if isinstance(base, str):
            return base if len(chain) == 1 else f"{base} Extended by {' → '.join(chain)}."
        file = self.project.name_of(base)
        if file in chain:
            circle = " → ".join((*chain, file))
            return f"found a circle ({circle}), expected bases that do not lead back. Remove one `extends`."
        if base in self.documents:
            return None
        if len(self.documents) + len(chain) >= MAX_FILES:
            return f"found more than {MAX_FILES} files, expected fewer. Merge some of them."
        document, issues = _read(base, self.project)
        self.issues += issues
        if document is not None:
            self.add(base, document, chain)
        return None


def _read(path: Path, project: Project) -> tuple[Document | None, list[Issue]]:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise RunnerError(f"{path}: found a pipe, socket or device, expected a regular file. Save it as one.")
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise RunnerError(f"{path}: found a folder, expected a recipe file.") from None
    except OSError as error:
        raise RunnerError(f"{path}: cannot be read: {error.strerror}.") from error
    file = project.name_of(path) if project.contains(path) else path.name
    document, issues = parse_yaml(content, file)
    if document is None or issues:
        return None, sorted(issues, key=_position)
    if not isinstance(document.value, dict):
        found = "an empty file" if document.value is None else "no mapping at the top"
        return None, [Issue(place=Place(file=file), message=f"found {found}, {_HEADING}")]
    if "lockfile_version" in document.value:
        return None, [Issue(place=Place(file=file), message=FOUND_LOCKFILE)]
    return document, []


def _position(issue: Issue) -> tuple[int, int, str]:
    return (issue.place.line or 0, issue.place.column or 0, issue.message)
