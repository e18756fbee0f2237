"""Divide the sources of a recipe into jobs for the processes of a build."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from runner.examples.wire import Request
from runner.recipe.model import Source
from runner.sources.find import find_source_files, looked_up
from runner.sources.pieces import Piece, UncuttableError
from runner.sources.read import cut_file, is_shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece to read, or with None the whole file at `path`; `number` counts the jobs.

    A file that `is_shared` is read by all processes, each of which takes its blocks of rows.
    """

    number: int
    source: int
    file: str
    path: str
    piece: Piece | None
    is_shared: bool = False


def make_jobs(request: Request, piece_bytes: int) -> Iterator[Job]:
    """Yield the jobs in the order of the records.

    Raises InvalidInputError, OSError, and UncuttableError for a file that turns out not to be what it seemed.
    """
    number = 0
    sources = request.recipe.sources
    if looked_up(sources):
        raise UncuttableError
    for index, source in enumerate(sources):
        if not _is_independent(source):
            raise UncuttableError
        for path in find_source_files(source, request.folder, request.project):
            pieces: Iterator[Piece | None] = cut_file(path, source, piece_bytes)
            try:
                first = next(pieces, None)
            except UncuttableError:
                first, pieces = None, iter(())
            name = request.project.name_of(path)
            for piece in chain([first], pieces):
                yield Job(
                    number=number,
                    source=index,
                    file=name,
                    path=str(path),
                    piece=piece,
                    is_shared=piece is None and is_shared(path, source),
                )
                number += 1


def _is_independent(source: Source) -> bool:
    """Whether all that a source says is how its files are read, so that no record depends on another."""
    return source == replace(source, sample=None, join=None, limit=None, weight=1.0, tables=())
