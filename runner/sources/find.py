"""The files of a recipe's sources: named, inside the project, of a known format, and there."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from runner.display import one_line
from runner.errors import InvalidInputError
from runner.hints import nearest
from runner.issues import Issue, Place
from runner.project import STATE_FOLDER, Project, real_path
from runner.recipe.model import Source
from runner.sources import stored
from runner.sources.base import unusable
from runner.sources.encodings import MARKS
from runner.sources.extras import is_installed, missing_sentence
from runner.sources.formats import BINARY_FORMATS, FORMATS, format_of, format_problem
from runner.sources.glob import is_pattern, matches
from runner.sources.unpack import compression_of


def find_source_files(source: Source, folder: Path, project: Project) -> list[Path]:
    """The files of one source, links resolved, each once, in the order of their names' code points.

    Raises InvalidInputError when there is none, or one that cannot be used, or all are empty.
    """
    found = name_source_files(source, folder, project)
    # One of several may well have no records today.
    if found and all(map(_is_empty, found)):
        message = "found an empty file, expected records. Fill it, or remove the source."
        places = sorted(project.name_of(path) for path in found)
        raise InvalidInputError([Issue(place=Place(file=name), message=message) for name in places])
    return found


def name_source_files(source: Source, folder: Path, project: Project) -> list[Path]:
    """As `find_source_files`, whatever the files hold."""
    given = dict(project.grants.files).get(source.name or "")
    if given is not None:
        found, name = {given}, source.path
    elif source.tables:
        return []
    elif source.url is not None or source.hub is not None:
        found, name = set(stored.stored_files(source, project)), source.url or source.hub or ""
    else:
        name = _written_name(source.path, folder, project)
        found = _matching(source, folder, project, name)
    issues = [issue for path in found if (issue := _file_issue(path, source, project, name))]
    if issues:
        raise InvalidInputError(sorted(issues, key=str))
    return sorted(found, key=project.name_of)


def path_problem(pattern: str) -> str:
    """What is wrong with a source's path as it is written, whatever lies there; empty for nothing."""
    if re.match("[a-z][a-z0-9+.-]+://", pattern):
        return "found an address, expected a path. Write it as `url`, with its `sha256`."
    if pattern.startswith(("/", "~")) or "\0" in pattern:
        return "found an absolute path, expected one relative to the recipe. Change it."
    return ""


def looked_up(sources: Sequence[Source]) -> set[str]:
    """The names of the sources that others join or query, which give no records of their own."""
    joined = {source.join.source for source in sources if source.join is not None}
    return joined | {name for source in sources for name in source.tables}


def _matching(source: Source, folder: Path, project: Project, name: str) -> set[Path]:
    _check_pattern(source, folder, project, name)
    try:
        found = set(map(real_path, matches(folder, source.path)))
    except OSError as error:
        raise unusable(name, unreadable("folder", error.strerror)) from error
    if not found:
        raise _nothing(source, folder, name)
    if any(path.is_relative_to(project.state) for path in found):
        raise unusable(
            name,
            f"found a file of the state folder {STATE_FOLDER}, expected data of your own. Copy it elsewhere.",
        )
    return found


def _written_name(pattern: str, folder: Path, project: Project) -> str:
    """The path of a source as seen from the project root, without following links."""
    try:
        relative = folder.resolve().relative_to(project.root).as_posix()
    except ValueError:
        return one_line(pattern, limit=200)
    joined = os.path.normpath(PurePosixPath(relative, pattern))
    return one_line(pattern if joined.startswith("..") else joined, limit=200)


def _check_pattern(source: Source, folder: Path, project: Project, name: str) -> None:
    pattern = source.path
    if pattern == stored.GIVEN:
        known = f"--source {source.name}=-" if source.name else "a `name` and --source NAME=-"
        raise unusable(
            one_line(source.name or pattern),
            f"found no data, expected it from the command line. Pipe it in and add {known}, or --source "
            f"{source.name or 'NAME'}=FILE.",
        )
    if problem := path_problem(pattern):
        raise unusable(one_line(pattern, limit=200), problem)
    parts = pattern.split("/")
    first = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
    if ".." in parts[first:] or not project.contains(folder.joinpath(*parts[:first])):
        raise _outside(name)


def _nothing(source: Source, folder: Path, name: str) -> InvalidInputError:
    if is_pattern(source.path):
        return unusable(
            name, "found no file that matches, expected at least one. Correct the path or pattern."
        )
    if "\\" in source.path:
        return unusable(name, "found a backslash, expected / between folders. Replace it.")
    path = folder / source.path
    if path.with_name(f"{path.name}-wal").is_file():
        return unusable(
            name,
            f"found no such file, only the log '{one_line(path.name)}-wal' that SQLite keeps beside it, "
            "expected both. Copy the database too.",
        )
    if path.is_dir():
        return unusable(
            name, "found a folder, expected a file. Write a pattern such as `*.json` for the files in it."
        )
    if path.is_symlink():
        return unusable(name, "found a link to nothing, expected a file. Correct the link.")
    parent = path.parent
    names = sorted(item.name for item in parent.iterdir()) if parent.is_dir() else []
    # Suffixes are alike everywhere; only what stands before them tells whether a name is near.
    names = [item for item in names if nearest(path.stem, [Path(item).stem])]
    hint = nearest(path.name, names) or "Correct the path; it is relative to the recipe."
    return unusable(name, f"found no such file, expected one. {hint}")


def _is_empty(path: Path) -> bool:
    """Whether a file holds nothing but, at most, a byte order mark."""
    size = path.stat().st_size
    return size == 0 or (size <= max(map(len, MARKS)) and path.read_bytes() in MARKS)


def _file_issue(path: Path, source: Source, project: Project, name: str) -> Issue | None:
    if not project.contains(path):
        return _outside(name).issues[0]
    file = project.name_of(path)
    message = _name_problem(file) or _kind_problem(path) or _format_problem(path, source, file)
    return Issue(place=Place(file=one_line(file, limit=200)), message=message) if message else None


def _name_problem(file: str) -> str:
    try:
        file.encode("utf-8")
    except UnicodeEncodeError:
        return "found a file name that is not UTF-8, expected one that is. Rename the file."
    return ""


def _kind_problem(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):
        return "found a pipe, socket or device, expected a regular file. Choose another path."
    if not os.access(path, os.R_OK):
        return unreadable("file", "Permission denied")
    return ""


def _format_problem(path: Path, source: Source, file: str) -> str:
    if source.format is not None and source.format not in FORMATS:
        known = ", ".join(FORMATS)
        return f"`format`: found '{one_line(source.format)}', expected one of {known}. Change it."
    if compression_of(path) == "zip":
        # What an archive holds is looked at where the file is read, in the confined process.
        return ""
    name = format_of(path, source, file)
    packages = (
        ["backports.zstd"] if compression_of(path) == "zstd" and not is_installed("compression.zstd") else []
    )
    packages += [BINARY_FORMATS[name].PACKAGE] if name in BINARY_FORMATS else []
    missing = next((package for package in packages if not is_installed(package)), None)
    return format_problem(path, source, name) or (missing_sentence(missing) if missing else "")


def _outside(name: str) -> InvalidInputError:
    return unusable(
        name, "found a path outside the project, expected one inside it. Move the file into the project."
    )


def unreadable(kind: str, reason: str | None) -> str:
    """That a file or folder cannot be read, in the words of the system."""
    return f"found a {kind} that cannot be read ({reason}), expected one that can. Make it readable."
