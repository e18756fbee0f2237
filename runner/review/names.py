"""The records behind conversations of a dataset: keys and rows, which its files do not keep."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from runner.dataset.effort import DEFAULT_EFFORT
from runner.dataset.index import identity_digest
from runner.dataset.jobs import Job, make_jobs
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.project import Project
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import MessageTemplate, Recipe, Source, Template
from runner.review.build import Built, Span, request_of
from runner.review.indexed import Row


def named(built: Built, examples: Mapping[int, Example], folder: Path) -> dict[int, Example]:
    """The examples at places of the index with key, variant, file and row; `folder` takes single pieces.

    Only the pieces that hold them are read again, or all up to the last one where the dataset was not made
    of pieces. An example whose source changed in the meantime stays without a name.
    """
    rows = built.indexed.rows(set(examples))
    found = dict(_from_pieces(built, rows, folder))
    left = set(rows) - set(found)
    found |= _from_the_start(built.task.loaded, left)
    return {
        place: replace(example, key=origin.key, variant=origin.variant, file=origin.file, row=origin.row)
        if (origin := found.get(place)) is not None and _is_of(origin, rows[place])
        else example
        for place, example in examples.items()
    }


def _is_of(origin: Example, row: Row) -> bool:
    return identity_digest(origin.key, origin.variant)[: len(row.identity)] == row.identity


def _from_pieces(built: Built, rows: Mapping[int, Row], folder: Path) -> Iterator[tuple[int, Example]]:
    loaded = built.task.loaded
    wanted = {
        span.job: (span, [place for place in rows if span.first <= place < span.first + span.count])
        for span in built.spans
    }
    jobs = make_jobs(request_of(loaded), DEFAULT_EFFORT.piece_bytes) if rows and built.spans else iter(())
    last = max((number for number, (_, places) in wanted.items() if places), default=-1)
    for job in islice(jobs, last + 1):
        span, places = wanted.get(job.number, (None, []))
        if span is None or not places or job.piece is None:
            continue
        for place, origin in zip(places, _read_piece(loaded.recipe, job, span, places, folder), strict=False):
            if _is_of(origin, rows[place]):
                yield place, origin


def _read_piece(recipe: Recipe, job: Job, span: Span, places: list[int], folder: Path) -> Iterator[Example]:
    """The examples of a piece at places of the index, in that order, with templates that say nothing."""
    if job.piece is None:
        raise AssertionError("BUG: a file that is read in one go has no pieces")
    folder.mkdir(exist_ok=True)
    path = folder / f"piece{Path(job.path).suffix}"
    path.write_bytes(job.piece.content)
    written = recipe.sources[job.source]
    source = Source(
        path=path.name,
        format=written.format,
        records=written.records if job.piece.inside else None,
        encoding=written.encoding,
        delimiter=written.delimiter,
    )
    silent = tuple(
        Template(name=template.name, messages=(MessageTemplate(role="user", content="-"),))
        for template in recipe.templates
    )
    training = replace(recipe.training, method="supervised")
    small = replace(recipe, sources=(source,), templates=silent, training=training)
    with closing(read_confined(small, folder, Project(root=folder.resolve()))) as items:
        for place, item in enumerate(items, start=span.first):
            if isinstance(item, Issue):
                return
            if place in places:
                yield replace(item, file=job.file, row=item.row + span.rows_before)


def _from_the_start(loaded: LoadedRecipe, places: set[int]) -> dict[int, Example]:
    if not places:
        return {}
    with closing(read_confined(loaded.recipe, loaded.folder, loaded.project)) as items:
        examples = (item for item in items if isinstance(item, Example))
        return {
            place: example
            for place, example in enumerate(islice(examples, max(places) + 1))
            if place in places
        }
