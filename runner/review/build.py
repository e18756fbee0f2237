"""The dataset of one state, in a temporary folder: whole pieces are taken over from the other state."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from runner.dataset.batch import Batch
from runner.dataset.build import counted_examples, total_bytes
from runner.dataset.cache import cache_key, read_cached
from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.effort import DEFAULT_EFFORT
from runner.dataset.index import index_line
from runner.dataset.inputs import Inputs, find_inputs, source_sizes
from runner.dataset.jobs import Job, make_jobs
from runner.dataset.merge import merge_batches
from runner.dataset.output import Output
from runner.dataset.split import side_of
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset
from runner.dataset.watched import UNWATCHED, BuildWatch, watched
from runner.dataset.workers import Trouble, Workers, choose_workers
from runner.dataset.write import example_line
from runner.errors import InvalidInputError
from runner.examples.confinement import read_confined
from runner.examples.wire import Request
from runner.issues import Issue
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe
from runner.review.indexed import Indexed, indexed_dataset
from runner.review.pieces import Pieces
from runner.tokens.counters import Counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A recipe to render and what its examples are measured with; `state` holds what earlier builds found.

    `exact` counts the tokens of what was built, where it is at hand; `watch` is told how far it is.
    """

    loaded: LoadedRecipe
    host: Host
    limits: DatasetLimits
    counter: TokenCounter
    state: Path
    exact: Counter | None = None
    watch: BuildWatch = UNWATCHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A task and its input files. Equal keys mean equal datasets; None where the files cannot be used."""

    task: Task
    inputs: Inputs = Inputs(sources=(), templates=())
    key: str | None = None

    @property
    def manner(self) -> str:
        """A hash of all but the sources: with equal ones, the same piece makes the same conversations."""
        task = self.task
        inputs = Inputs(sources=(), templates=self.inputs.templates)
        return cache_key(task.loaded.recipe, inputs, task.limits, task.counter)

    @property
    def size_bytes(self) -> int:
        """The size of all sources."""
        return sum(file.size_bytes for file in self.inputs.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of an index one piece of a source made, and the rows of its file before it."""

    job: int
    first: int
    count: int
    rows_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A state's dataset, and the records that make no example; `spans` if it was made of pieces."""

    task: Task
    dataset: Dataset
    problems: tuple[Issue, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def indexed(self) -> Indexed:
        """The dataset as it is compared."""
        return indexed_dataset(self.dataset)


def prepare(task: Task) -> Prepared:
    """Find and hash the files of a task."""
    try:
        inputs = find_inputs(task.loaded)
    except InvalidInputError:
        # Building says what is wrong with the files.
        return Prepared(task=task)
    key = cache_key(task.loaded.recipe, inputs, task.limits, task.counter)
    return Prepared(task=task, inputs=inputs, key=key)


def build_state(prepared: Prepared, folder: Path, pieces: Pieces | None) -> Built:
    """Build a dataset in a folder, or find it built; problems do not stop it.

    `pieces` is what the other state made, or where this one is to keep what it makes.
    """
    task = prepared.task
    if prepared.key is not None:
        found = read_cached(task.state / "cache", prepared.key, task.state / "datasets")
        if found is not None:
            return Built(task=task, dataset=found)
        try:
            return _build_in_pieces(prepared, folder, pieces)
        except Trouble:
            # Reading record by record tells what it is.
            pass
        finally:
            task.watch.end()
    try:
        return _build_one_by_one(prepared, folder)
    finally:
        task.watch.end()


def _build_in_pieces(prepared: Prepared, folder: Path, pieces: Pieces | None) -> Built:
    task, effort = prepared.task, DEFAULT_EFFORT
    loaded, request, spans = task.loaded, request_of(task.loaded), list[Span]()
    # Two states are built one after the other.
    count = choose_workers(2 * prepared.size_bytes)
    with Output(folder, task.watch) as output, Workers(request, task.counter, task.limits, count) as workers:
        jobs = make_jobs(request, effort.piece_bytes)
        batches = pieces.batches(workers, jobs) if pieces else workers.batches(jobs)
        checker = Checker(task.limits, task.counter)
        task.watch.begin(total_bytes(source_sizes(loaded)))
        merge_batches(_noted(watched(batches, task.watch), spans), output, checker)
        dataset = output.dataset(loaded.recipe, prepared.inputs, checker)
    return Built(task=task, dataset=dataset, spans=tuple(spans))


def request_of(loaded: LoadedRecipe) -> Request:
    """What a confined process is asked for."""
    folder = loaded.folder.resolve()
    return Request(recipe=loaded.recipe, folder=folder, project=loaded.project, bounds=DEFAULT_EFFORT.bounds)


def _noted(batches: Iterable[tuple[Job, Batch]], spans: list[Span]) -> Iterator[tuple[Job, Batch]]:
    """Pass batches on, noting what they become in the index."""
    first, rows, file = 0, 0, (-1, "")
    for job, batch in batches:
        if (job.source, job.file) != file:
            rows, file = 0, (job.source, job.file)
        count = sum(batch.n_examples)
        spans.append(Span(job=job.number, first=first, count=count, rows_before=rows))
        first, rows = first + count, rows + batch.n_rows
        yield job, batch


def _build_one_by_one(prepared: Prepared, folder: Path) -> Built:
    task = prepared.task
    loaded, checker = task.loaded, Checker(task.limits, task.counter)
    problems: list[Issue] = []
    examples = read_confined(loaded.recipe, loaded.folder, loaded.project)
    with closing(examples), Output(folder, task.watch) as output:
        task.watch.begin(None)
        for example in counted_examples(examples, task.watch):
            if isinstance(example, Issue):
                problems.append(example)
                continue
            side = side_of(example.key if example.group is None else example.group, loaded.recipe.split)
            n_tokens = checker.observe(example, side)
            output.sides[side].add(example_line(example), 1, n_tokens)
            output.index.write(index_line(example, side).encode("ascii"))
            output.count(example.file, example.row)
        dataset = output.dataset(loaded.recipe, prepared.inputs, checker)
    return Built(task=task, dataset=dataset, problems=tuple(problems))
