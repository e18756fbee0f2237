"""From the sources of a recipe to its records."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from runner.display import one_line
from runner.errors import InvalidInputError
from runner.hints import nearest
from runner.issues import Issue, Place
from runner.project import STATE_FOLDER, Grants, Project, real_path
from runner.recipe.model import Source
from runner.sources import stored
from runner.sources.base import (
    WHOLE,
    CuttableFormat,
    PieceRecords,
    Record,
    Select,
    Share,
    SharedFormat,
)
from runner.sources.encodings import MARKS, START_BYTES
from runner.sources.extras import is_installed, missing_sentence
from runner.sources.formats import (
    BINARY_FORMATS,
    FORMATS,
    TEXT_FORMATS,
    format_of,
    format_problem,
    plain_format,
)
from runner.sources.glob import is_pattern, matches
from runner.sources.pieces import PROBE, Piece, UncuttableError
from runner.sources.text import decoding_issue, in_utf_8, is_cuttable, is_wide, open_text
from runner.sources.unpack import compression_of, open_bytes, refuse_bomb

MAX_ISSUES = 1_000
# What stands for a file's name where a query without a name gives the records.
QUERY = "query"

# Told the name of a file that is read next.
Opening = Callable[[str], object]

# What ends a line: for CSV anything a spreadsheet writes, for the others a line feed alone.
_NEWLINES = {"csv": "", "tsv": ""}


def find_source_files(source: Source, folder: Path, project: Project) -> list[Path]:
    """The files of one source, links resolved, each once, in the order of their names' code points.

    Raises InvalidInputError when there is none, or one that cannot be used.
    """
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
    if not issues and all(map(_is_empty, found)):
        # One of several may well have no records today.
        message = "found an empty file, expected records. Fill it, or remove the source."
        issues = [Issue(place=Place(file=project.name_of(path)), message=message) for path in found]
    if issues:
        raise InvalidInputError(sorted(issues, key=str))
    return sorted(found, key=project.name_of)


def read_records(  # noqa: PLR0913 - what to read, and who is told of it
    sources: Sequence[Source],
    folder: Path,
    project: Project,
    *,
    max_issues: int = MAX_ISSUES,
    selectors: Mapping[int, Select] | None = None,
    opening: Opening = lambda _: None,
) -> Iterator[Record]:
    """Yield the records of all sources in order, but for those that another source joins or queries.

    `selectors` decide by a source's index which of its records come out, and how; `opening` is told of each
    file. Raises InvalidInputError, after the last record that can be used, with every problem found on the
    way.
    """
    issues: list[Issue] = []
    for item in _items(sources, folder, project, selectors or {}, opening):
        if isinstance(item, Record):
            yield item
            continue
        issues.append(item)
        if len(issues) >= max_issues:
            break
    if issues:
        raise InvalidInputError(issues)


def looked_up(sources: Sequence[Source]) -> set[str]:
    """The names of the sources that others join or query, which give no records of their own."""
    joined = {source.join.source for source in sources if source.join is not None}
    return joined | {name for source in sources for name in source.tables}


def _items(
    sources: Sequence[Source],
    folder: Path,
    project: Project,
    selectors: Mapping[int, Select],
    opening: Opening,
) -> Iterator[Record | Issue]:
    inner = looked_up(sources)
    for index, source in enumerate(sources):
        if source.name in inner:
            continue
        items = _source_items(source, sources, folder, project, opening)
        yield from _selected(items, selectors.get(index), source.limit)


def _selected(
    items: Iterator[Record | Issue], select: Select | None, limit: int | None
) -> Iterator[Record | Issue]:
    if select is None and limit is None:
        yield from items
        return
    n_records = 0
    for item in items:
        chosen = select.choose(item) if select is not None and isinstance(item, Record) else item
        if chosen is None:
            continue
        yield chosen
        n_records += isinstance(chosen, Record)
        if n_records == limit:
            return
    problem = select.end() if select is not None else None
    if problem is not None:
        yield problem


def _source_items(
    source: Source, sources: Sequence[Source], folder: Path, project: Project, opening: Opening
) -> Iterator[Record | Issue]:
    """Go on with the next file where one cannot be read."""
    if source.tables and source.query is not None:
        opening(source.name or QUERY)
        try:
            yield from _query_items(source, sources, folder, project)
        except InvalidInputError as error:
            yield from error.issues
        return
    try:
        files = find_source_files(source, folder, project)
    except InvalidInputError as error:
        yield from error.issues
        return
    for path in files:
        file = project.name_of(path)
        opening(file)
        try:
            yield from read_file(path, source, file, project.grants)
        except InvalidInputError as error:
            yield from error.issues


def _query_items(
    source: Source, sources: Sequence[Source], folder: Path, project: Project
) -> Iterator[Record | Issue]:
    from runner.sources import duckdb_query

    named = {item.name: item for item in sources}
    tables = {}
    for name in source.tables:
        paths = find_source_files(named[name], folder, project)
        kind = format_of(paths[0], named[name], project.name_of(paths[0]))
        tables[name] = duckdb_query.Table(source=named[name], format=kind, paths=tuple(paths))
    yield from duckdb_query.read(tables, source.query or "", source.name or QUERY)


def read_file(
    path: Path, source: Source, file: str, grants: Grants, share: Share = WHOLE
) -> Iterator[Record | Issue]:
    """Yield the records of one file in order, and an issue in the place of each that cannot be used.

    Only those of a share, where `is_shared` says that the file has any. Raises InvalidInputError.
    """
    try:
        name = format_of(path, source, file)
        problem = format_problem(path, source, name)
        if problem:
            raise _unusable(file, problem)
        source = replace(source, format=name)
        if name in BINARY_FORMATS:
            module = BINARY_FORMATS[name]
            if share != WHOLE and isinstance(module, SharedFormat):
                yield from module.read_share(path, source, file, grants, share)
            else:
                yield from module.read(path, source, file, grants)
            return
        refuse_bomb(path, file, source.member, grants)
        open_again = partial(open_bytes, path, file, member=source.member, grants=grants)
        try:
            with open_text(open_again, source.encoding, file, newline=_NEWLINES.get(name, "\n")) as stream:
                yield from TEXT_FORMATS[name].read(stream, source, file)
        except UnicodeError:
            raise InvalidInputError([decoding_issue(open_again, source.encoding, file)]) from None
    except OSError as error:
        raise _unusable(file, _unreadable("file", error.strerror)) from error


def is_shared(path: Path, source: Source) -> bool:
    """Whether several processes can each take a share of a file."""
    return isinstance(BINARY_FORMATS.get(plain_format(path, source)), SharedFormat)


def cut_file(path: Path, source: Source, size_bytes: int) -> Iterator[Piece]:
    """Cut a file into pieces of about that size. Raises UncuttableError, and OSError as `open` does."""
    name = plain_format(path, source)
    module = TEXT_FORMATS.get(name)
    if not isinstance(module, CuttableFormat) or not is_cuttable(source.encoding):
        raise UncuttableError
    with path.open("rb") as stream:
        if is_wide(stream.read(START_BYTES)):
            raise UncuttableError
        stream.seek(0)
        yield from module.cut(stream, replace(source, format=name), size_bytes)


def read_piece(piece: Piece, source: Source, file: str) -> PieceRecords | None:
    """The records of a piece with the number of its rows, None where one cannot be used or the proof fails.

    Raises InvalidInputError and UnicodeError, for the same reasons.
    """
    name = plain_format(Path(file), source)
    module = TEXT_FORMATS.get(name)
    if not isinstance(module, CuttableFormat):
        raise AssertionError("BUG: a piece of a format that is not cut")
    source = replace(source, format=name)
    if piece.proof:
        proved = module.read_piece(in_utf_8(piece.proof, source.encoding, opens=True), source, file)
        if proved is None or [record.data for record in proved[0]] != [PROBE] * piece.n_probes:
            return None
    content = in_utf_8(piece.content, source.encoding, opens=piece.opens)
    return module.read_piece(content, source if piece.inside else replace(source, records=None), file)


def _matching(source: Source, folder: Path, project: Project, name: str) -> set[Path]:
    _check_pattern(source, folder, project, name)
    try:
        found = set(map(real_path, matches(folder, source.path)))
    except OSError as error:
        raise _unusable(name, _unreadable("folder", error.strerror)) from error
    if not found:
        raise _nothing(source, folder, name)
    if any(path.is_relative_to(project.state) for path in found):
        raise _unusable(
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
        raise _unusable(
            one_line(source.name or pattern),
            f"found no data, expected it from the command line. Pipe it in and add {known}, or --source "
            f"{source.name or 'NAME'}=FILE.",
        )
    if re.match("[a-z][a-z0-9+.-]+://", pattern):
        name = one_line(pattern, limit=200)
        raise _unusable(name, "found an address, expected a path. Write it as `url`, with its `sha256`.")
    if pattern.startswith(("/", "~")) or "\0" in pattern:
        raise _unusable(name, "found an absolute path, expected one relative to the recipe. Change it.")
    parts = pattern.split("/")
    first = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
    if ".." in parts[first:] or not project.contains(folder.joinpath(*parts[:first])):
        raise _outside(name)


def _nothing(source: Source, folder: Path, name: str) -> InvalidInputError:
    if is_pattern(source.path):
        return _unusable(
            name, "found no file that matches, expected at least one. Correct the path or pattern."
        )
    if "\\" in source.path:
        return _unusable(name, "found a backslash, expected / between folders. Replace it.")
    path = folder / source.path
    if path.with_name(f"{path.name}-wal").is_file():
        return _unusable(
            name,
            f"found no such file, only the log '{one_line(path.name)}-wal' that SQLite keeps beside it, "
            "expected both. Copy the database too.",
        )
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
        return _unreadable("file", "Permission denied")
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
    return _unusable(
        name, "found a path outside the project, expected one inside it. Move the file into the project."
    )


def _unusable(name: str, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=Place(file=name), message=message)])


def _unreadable(kind: str, reason: str | None) -> str:
    return f"found a {kind} that cannot be read ({reason}), expected one that can. Make it readable."
