"""A recipe as it was in a revision: its files, sources and templates in a temporary folder, nothing else."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, TemplateError, meta

from runner.display import shown
from runner.errors import InvalidInputError, RunnerError, UnknownProfileError
from runner.examples.metering import SandboxError
from runner.examples.template_files import locate
from runner.issues import Issue, Place
from runner.project import ROOT_MARKERS
from runner.providers.hosts import PROJECT_FOLDER
from runner.recipe.extending import named_recipes
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.model import MessageTemplate, Recipe, Source
from runner.recipe.yaml import parse_yaml
from runner.review.git import Blobs, Entry, Revision, list_entries, open_blobs
from runner.sources.find import name_source_files
from runner.sources.glob import is_pattern

_MAX_LINKS = 10
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def recipe_at(revision: Revision, path: Path, profile: str, folder: Path) -> LoadedRecipe | None:
    """Read a recipe at a revision into an empty folder; None where the revision has none at this path.

    Nothing is checked out: only the files it needs are written, below the folder. Raises InvalidInputError,
    whose places begin with the revision, UnknownProfileError and RunnerError.
    """
    name = _name_in(revision, path)
    entries = {entry.path: entry for entry in list_entries(revision)}
    if name not in entries:
        return None
    with open_blobs(revision) as blobs:
        tree = _Tree(folder=folder.resolve(), entries=entries, blobs=blobs)
        tree.mark_projects(name)
        tree.write_recipe(name)
        if not (tree.folder / name).resolve().is_relative_to(tree.folder):
            raise RunnerError(f"{revision.name}:{name} is a link that leads out of the repository.")
        try:
            loaded = load_recipe(tree.folder / name, profile)
        except InvalidInputError as error:
            raise InvalidInputError(list(issues_at(revision, error.issues))) from error
        except UnknownProfileError:
            raise
        except RunnerError as error:
            raise RunnerError(str(error).replace(f"{tree.folder}/", f"{revision.name}:")) from error
        tree.write_hosts(loaded)
        tree.write_templates(loaded)
        tree.write_sources(loaded)
    return loaded


def lock_at(revision: Revision, path: Path, folder: Path) -> Path | None:
    """Write a lockfile of a revision into an empty folder; None where the revision has none at this path."""
    name = _name_in(revision, path)
    entries = {entry.path: entry for entry in list_entries(revision)}
    if name not in entries:
        return None
    with open_blobs(revision) as blobs:
        tree = _Tree(folder=folder.resolve(), entries=entries, blobs=blobs)
        tree.write(name)
    return tree.folder / name


def issues_at(revision: Revision, issues: tuple[Issue, ...]) -> Iterator[Issue]:
    """The issues with the revision before the names of their files, as git writes it."""
    for issue in issues:
        place = issue.place
        file = f"{revision.name}:{place.file}"
        moved = Place(file=file, line=place.line, column=place.column, row=place.row)
        yield Issue(place=moved, message=issue.message, path=issue.path, severity=issue.severity)


def _name_in(revision: Revision, path: Path) -> str:
    if not path.is_relative_to(revision.root):
        raise RunnerError(f"{path} is outside the repository {revision.root}, which cannot know it.")
    return path.relative_to(revision.root).as_posix()


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """The part of a revision that is written so far."""

    folder: Path
    entries: dict[str, Entry]
    blobs: Blobs

    def mark_projects(self, recipe: str) -> None:
        """Let the project begin where it began then: at a marker above the recipe, or the repository."""
        (self.folder / ".git").touch()
        for parent in Path(recipe).parents:
            marker = (parent / ROOT_MARKERS[0]).as_posix()
            if marker in self.entries:
                self._touch(marker)

    def write(self, name: str) -> None:
        """Write a file, through the links that lead to it; one that is not there is left to later checks."""
        for _ in range(_MAX_LINKS):
            link = next((entry for entry in self._above(name) if entry.kind == "link"), None)
            if link is None:
                break
            self._link(link)
            name = posixpath.normpath(self._reached(link) + name.removeprefix(link.path))
        entry = self.entries.get(name)
        if entry is not None and entry.kind == "file":
            self._fill(self._touch(name), entry)

    def write_recipe(self, name: str) -> None:
        """Write a recipe and every other one that it names."""
        names, seen = [name], set()
        while names:
            self.write(name := names.pop())
            path = (self.folder / name).resolve()
            if path in seen or not path.is_relative_to(self.folder) or not path.is_file():
                # What cannot be used is left to the reading of the recipe, which says so.
                continue
            seen.add(path)
            document, _ = parse_yaml(path.read_bytes(), name)
            folder = path.parent.relative_to(self.folder).as_posix()
            for other in named_recipes(document.value if document else None):
                names.append(posixpath.normpath(posixpath.join(folder, other)))

    def write_hosts(self, loaded: LoadedRecipe) -> None:
        """Write the project's own host entries."""
        root = loaded.project.root.relative_to(self.folder).as_posix()
        folder = posixpath.normpath(posixpath.join(root, PROJECT_FOLDER))
        for name in self.entries:
            if posixpath.dirname(name) == folder and name.endswith(".toml"):
                self.write(name)

    def write_templates(self, loaded: LoadedRecipe) -> None:
        """Write the files that hold templates, and those they include."""
        names, texts = _template_names(loaded.recipe)
        names += [name for text in texts for name in _included(text)]
        seen: set[str] = set()
        while names:
            name = names.pop()
            if name in seen:
                continue
            seen.add(name)
            self._write_below(loaded, name)
            try:
                path = locate(name, loaded.folder, loaded.project)
            except SandboxError:
                # The render says so, with the place in the recipe.
                continue
            names += _included(path.read_text(encoding="utf-8", errors="replace"))

    def write_sources(self, loaded: LoadedRecipe) -> None:
        """Write the files of all sources: first their names, so that patterns match as they would there."""
        for source in loaded.recipe.sources:
            if source.path:
                self._sketch(loaded, source)
        for source in loaded.recipe.sources:
            try:
                found = name_source_files(source, loaded.folder, loaded.project)
            except InvalidInputError:
                # The render says so, with every other problem.
                continue
            for path in found:
                self.write(path.relative_to(self.folder).as_posix())

    def _sketch(self, loaded: LoadedRecipe, source: Source) -> None:
        parts = source.path.split("/")
        first = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
        wanted = {self._name(loaded, "/".join(parts[:first]) or ".")}
        links = [entry for entry in self.entries.values() if entry.kind == "link"]
        for _ in range(_MAX_LINKS):
            near = [link for link in links if any(_overlap(link.path, name) for name in wanted)]
            reached = {self._reached(link) for link in near} - wanted
            if not reached:
                break
            wanted |= reached
        for entry in self.entries.values():
            if entry.kind == "file" and any(_is_below(entry.path, name) for name in wanted):
                self._touch(entry.path)
        for link in near:
            self._link(link)

    def _write_below(self, loaded: LoadedRecipe, name: str) -> None:
        if not name.startswith(("/", "~")) and "\\" not in name and "\0" not in name:
            self.write(self._name(loaded, name))

    def _name(self, loaded: LoadedRecipe, path: str) -> str:
        folder = loaded.folder.relative_to(self.folder).as_posix()
        return posixpath.normpath(posixpath.join(folder, path))

    def _above(self, name: str) -> Iterator[Entry]:
        parts = name.split("/")
        names = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
        return (self.entries[path] for path in names if path in self.entries)

    def _reached(self, link: Entry) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(link.path), self._target(link)))

    def _target(self, link: Entry) -> str:
        return self.blobs.read(link.blob).decode("utf-8", "replace")

    def _touch(self, name: str) -> Path:
        path = self._place(name)
        path.touch()
        return path

    def _link(self, link: Entry) -> None:
        path, target = self._place(link.path), self._target(link)
        if target and "\0" not in target and not path.is_symlink() and not path.exists():
            path.symlink_to(target)

    def _place(self, name: str) -> Path:
        path = self.folder / name
        # A tree made by hand may hold a file below a link.
        if path.parent.resolve() != path.parent:
            raise RunnerError(f"the revision holds {shown(name)} below a link. Check it with `git fsck`.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _fill(self, path: Path, entry: Entry) -> None:
        if path.is_symlink() or path.stat().st_size:
            return
        with path.open("wb") as stream:
            for number, chunk in enumerate(self.blobs.chunks(entry.blob)):
                if number == 0 and chunk.startswith(_LFS_POINTER):
                    raise RunnerError(
                        f"{entry.path} is kept by Git LFS, and the revision holds only its pointer. "
                        "Check the revision out elsewhere and compare the two recipe files."
                    )
                stream.write(chunk)


def _template_names(recipe: Recipe) -> tuple[list[str], list[str]]:
    parts = [part for template in recipe.templates for part in template.parts.values()]
    messages = [message for part in parts for message in part]
    templates = [message for message in messages if isinstance(message, MessageTemplate)]
    names = [message.content_file for message in templates if message.content_file is not None]
    systems = [template.system for template in recipe.templates if template.system is not None]
    return names, [*systems, *(message.content for message in templates if message.content is not None)]


def _included(text: str) -> list[str]:
    try:
        # Parsed, never run; what cannot be parsed is refused when it is rendered.
        found = meta.find_referenced_templates(Environment(autoescape=True).parse(text))
        return [name for name in found if name is not None]
    except (TemplateError, RecursionError, ValueError):
        return []


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path == folder or path.startswith(f"{folder}/")


def _overlap(path: str, other: str) -> bool:
    return _is_below(path, other) or _is_below(other, path)
