"""From the sources of a recipe to its records."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from runner.display import one_line
from runner.errors import InvalidInputError
from runner.hints import nearest
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.model import Source
from runner.sources import delimited, json_array, json_lines
from runner.sources.base import CuttableFormat, Format, PieceRecords, Record
from runner.sources.glob import is_pattern, matches
from runner.sources.pieces import PROBE, Piece, UncuttableError
from runner.sources.text import decoding_issue, has_other_mark, in_utf_8, is_cuttable, open_text

FORMATS: dict[str, Format] = {
    "json": json_array,
    "jsonl": json_lines,
    "csv": delimited,
    "tsv": delimited,
}
SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
MAX_ISSUES = 1_000

# What ends a line: for CSV anything a spreadsheet writes, for the others a line feed alone.
_NEWLINES = {"csv": "", "tsv": ""}


def find_source_files(source: Source, folder: Path, project: Project) -> list[Path]:
    """The files of one source, links resolved, each once, in the order of their names' code points.

    Raises InvalidInputError when there is none, or one that cannot be used.
    """
    name = _written_name(source.path, folder, project)
    _check_pattern(source, folder, project, name)
    try:
        found = {path.resolve() for path in matches(folder, source.path)}
    except OSError as error:
        raise _unusable(name, _unreadable("folder", error.strerror)) from error
    if not found:
        raise _nothing(source, folder, name)
    issues = [issue for path in found if (issue := _file_issue(path, source, project, name))]
    if issues:
        raise InvalidInputError(sorted(issues, key=str))
    return sorted(found, key=project.name_of)


def read_records(
    sources: Sequence[Source], folder: Path, project: Project, *, max_issues: int = MAX_ISSUES
) -> Iterator[Record]:
    """Yield the records of all sources in order.

    Raises InvalidInputError, after the last record that can be used, with every problem found on the way.
    """
    issues: list[Issue] = []
    for item in _items(sources, folder, project):
        if isinstance(item, Record):
            yield item
            continue
        issues.append(item)
        if len(issues) >= max_issues:
            break
    if issues:
        raise InvalidInputError(issues)


def _items(sources: Sequence[Source], folder: Path, project: Project) -> Iterator[Record | Issue]:
    """Go on with the next file where one cannot be read."""
    for source in sources:
        try:
            files = find_source_files(source, folder, project)
        except InvalidInputError as error:
            yield from error.issues
            continue
        for path in files:
            try:
                yield from read_file(path, source, project.name_of(path))
            except InvalidInputError as error:
                yield from error.issues


def read_file(path: Path, source: Source, file: str) -> Iterator[Record | Issue]:
    """Yield the records of one file in order, and an issue in the place of each that cannot be used.

    Raises InvalidInputError.
    """
    name = _format_name(path, source)
    newline = _NEWLINES.get(name, "\n")
    try:
        with open_text(path, source.encoding, file, newline=newline) as stream:
            yield from FORMATS[name].read(stream, replace(source, format=name), file)
    except UnicodeError:
        raise InvalidInputError([decoding_issue(path, source.encoding, file)]) from None
    except OSError as error:
        raise _unusable(file, _unreadable("file", error.strerror)) from error


def cut_file(path: Path, source: Source, size_bytes: int) -> Iterator[Piece]:
    """Cut a file into pieces of about that size. Raises UncuttableError, and OSError as `open` does."""
    name = _format_name(path, source)
    module = FORMATS[name]
    if not isinstance(module, CuttableFormat) or not is_cuttable(source.encoding):
        raise UncuttableError
    with path.open("rb") as stream:
        if has_other_mark(stream.read(4)):
            raise UncuttableError
        stream.seek(0)
        yield from module.cut(stream, replace(source, format=name), size_bytes)


def read_piece(piece: Piece, source: Source, file: str) -> PieceRecords | None:
    """The records of a piece with the number of its rows, None where one cannot be used or the proof fails.

    Raises InvalidInputError and UnicodeError, for the same reasons.
    """
    name = _format_name(Path(file), source)
    module = FORMATS[name]
    if not isinstance(module, CuttableFormat):
        raise AssertionError("BUG: a piece of a format that is not cut")
    source = replace(source, format=name)
    if piece.proof:
        proved = module.read_piece(in_utf_8(piece.proof, source.encoding, opens=True), source, file)
        if proved is None or [record.data for record in proved[0]] != [PROBE] * piece.n_probes:
            return None
    content = in_utf_8(piece.content, source.encoding, opens=piece.opens)
    return module.read_piece(content, source if piece.inside else replace(source, records=None), file)


def _format_name(path: Path, source: Source) -> str:
    return source.format or SUFFIXES.get(path.suffix.lower(), "")


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
    if pattern.startswith(("/", "~")) or "\0" in pattern:
        raise _unusable(name, "found an absolute path, expected one relative to the recipe. Change it.")
    parts = pattern.split("/")
    first = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
    if ".." in parts[first:] or not project.contains(folder.joinpath(*parts[:first])):
        raise _outside(name)
    if source.format is not None and source.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise _unusable(
            name, f"`format`: found '{one_line(source.format)}', expected one of {known}. Change it."
        )


def _nothing(source: Source, folder: Path, name: str) -> InvalidInputError:
    if is_pattern(source.path):
        return _unusable(
            name, "found no file that matches, expected at least one. Correct the path or pattern."
        )
    path = folder / source.path
    if path.is_dir():
        return _unusable(
            name, "found a folder, expected a file. Write a pattern such as `*.json` for the files in it."
        )
    if path.is_symlink():
        return _unusable(name, "found a link to nothing, expected a file. Correct the link.")
    parent = path.parent
    names = sorted(item.name for item in parent.iterdir()) if parent.is_dir() else []
    # Suffixes are alike everywhere; only what stands before them tells whether a name is near.
    names = [item for item in names if nearest(path.stem, [Path(item).stem])]
    hint = nearest(path.name, names) or "Correct the path; it is relative to the recipe."
    return _unusable(name, f"found no such file, expected one. {hint}")


def _file_issue(path: Path, source: Source, project: Project, name: str) -> Issue | None:
    if not project.contains(path):
        return _outside(name).issues[0]
    file = project.name_of(path)
    message = _name_problem(file) or _kind_problem(path) or _format_problem(path, source)
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
        return _unreadable("file", "Permission denied")
    return ""


def _format_problem(path: Path, source: Source) -> str:
    name = _format_name(path, source)
    if not name:
        return (
            f"found the suffix '{one_line(path.suffix)}', expected one of {', '.join(SUFFIXES)}. "
            "Set `format` on this source."
        )
    options = FORMATS[name].OPTIONS
    for option in ("records", "delimiter"):
        if getattr(source, option) is not None and option not in options:
            return f"found `{option}` for a file of format {name}, which has none. Remove it."
    return ""


def _outside(name: str) -> InvalidInputError:
    return _unusable(
        name, "found a path outside the project, expected one inside it. Move the file into the project."
    )


def _unusable(name: str, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=Place(file=name), message=message)])


def _unreadable(kind: str, reason: str | None) -> str:
    return f"found a {kind} that cannot be read ({reason}), expected one that can. Make it readable."
