"""From the sources of a recipe to its records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from runner.errors import InvalidInputError
from runner.issues import Issue
from runner.project import Grants, Project
from runner.recipe.model import Source
from runner.sources.base import (
    WHOLE,
    CuttableFormat,
    PieceRecords,
    Record,
    Select,
    Share,
    SharedFormat,
    unusable,
)
from runner.sources.encodings import START_BYTES
from runner.sources.find import find_source_files, looked_up, unreadable
from runner.sources.formats import (
    BINARY_FORMATS,
    TEXT_FORMATS,
    format_of,
    format_problem,
    plain_format,
)
from runner.sources.pieces import PROBE, Piece, UncuttableError
from runner.sources.text import decoding_issue, in_utf_8, is_cuttable, is_wide, open_text
from runner.sources.unpack import open_bytes, refuse_bomb

MAX_ISSUES = 1_000
# What stands for a file's name where a query without a name gives the records.
QUERY = "query"

# Told the name of a file that is read next.
Opening = Callable[[str], object]

# What ends a line: for CSV anything a spreadsheet writes, for the others a line feed alone.
_NEWLINES = {"csv": "", "tsv": ""}


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
    yield from duckdb_query.read(tables, source.query or "", source.name or QUERY, project.grants)


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
            raise unusable(file, problem)
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
        raise unusable(file, unreadable("file", error.strerror)) from error


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
