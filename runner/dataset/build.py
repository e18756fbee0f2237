"""From a recipe's sources to the files that will be uploaded, in several processes or record by record."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.effort import DEFAULT_EFFORT, Effort
from runner.dataset.index import index_line
from runner.dataset.inputs import Inputs, hashed, source_sizes
from runner.dataset.jobs import make_jobs
from runner.dataset.merge import merge_batches
from runner.dataset.output import Output
from runner.dataset.ray_task import encode_order
from runner.dataset.ray_workers import RayWorkers
from runner.dataset.split import side_of
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset
from runner.dataset.watched import BuildWatch, watched
from runner.dataset.workers import RepeatedKeys, Trouble, Workers, choose_workers
from runner.dataset.write import example_line
from runner.errors import InvalidInputError
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.examples.wire import Request
from runner.issues import Issue, Place
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Recipe
from runner.sources.unpack import compression_of

SHOWN_ISSUES = 20


def build_dataset(
    loaded: LoadedRecipe,
    inputs: "Inputs | Future[Inputs]",
    folder: Path,
    yardstick: tuple[DatasetLimits, TokenCounter],
    effort: Effort = DEFAULT_EFFORT,
) -> Dataset:
    """Write the training and validation files of a recipe into `folder`, named by their hashes.

    The inputs may still be hashed while this goes on. Findings, errors among them, are part of the result;
    nothing is written for a side without examples but the training file. Raises InvalidInputError when
    records could not be turned into examples, and as `find_inputs`.
    """
    limits, counter = yardstick
    sizes = source_sizes(loaded)
    count = effort.n_workers or choose_workers(sum(sizes.values()))
    request = Request(
        recipe=loaded.recipe, folder=loaded.folder.resolve(), project=loaded.project, bounds=effort.bounds
    )
    try:
        with (
            Output(folder, effort.watch) as output,
            Workers(request, counter, limits, count, effort.kept) as workers,
        ):
            effort.watch.begin(total_bytes(sizes))
            checker = Checker(limits, counter, loaded.recipe.checks)
            with _makers(effort.ray, request, yardstick, workers) as makers:
                batches = makers.batches(make_jobs(request, effort.piece_bytes))
                merge_batches(watched(batches, effort.watch), output, checker)
            return output.dataset(loaded.recipe, hashed(inputs), checker)
    except Trouble as trouble:
        # Without a key, records that are equal are numbered.
        if isinstance(trouble, RepeatedKeys) and loaded.recipe.key is not None:
            _refuse_problems(loaded, effort)
        examples = read_confined(loaded.recipe, loaded.folder, loaded.project, bounds=effort.bounds)
        effort.watch.begin(None)
        with closing(examples):
            checker = Checker(limits, counter, loaded.recipe.checks)
            counted = counted_examples(examples, effort.watch)
            output = Output(folder, effort.watch)
            return build_one_by_one(loaded.recipe, counted, hashed(inputs), output, checker)
    finally:
        effort.watch.end()


def _refuse_problems(loaded: LoadedRecipe, effort: Effort) -> None:
    """Raise InvalidInputError for what records have against each other, which needs no checks."""
    where = (loaded.recipe, loaded.folder, loaded.project)
    found = read_confined(*where, bounds=effort.bounds, only_issues=True)
    issues = [item for item in found if isinstance(item, Issue)]
    if issues:
        raise InvalidInputError(shortened(issues))


def build_one_by_one(
    recipe: Recipe,
    examples: Iterable[Example | Issue],
    inputs: Inputs,
    output: Output,
    checker: Checker,
) -> Dataset:
    """Do the same with examples as they stream past, and find every problem on the way."""
    issues: list[Issue] = []
    with output:
        checker.listener = output.write_hit
        for example in examples:
            if isinstance(example, Issue):
                issues.append(example)
                continue
            side = side_of(example.key if example.group is None else example.group, recipe.split)
            n_tokens = checker.observe(example, side)
            output.sides[side].add(example_line(example), 1, n_tokens)
            output.index.write(index_line(example, side).encode("ascii"))
            output.count(example.file, example.row)
        if issues:
            raise InvalidInputError(shortened(issues))
        return output.dataset(recipe, inputs, checker)


def _makers(
    address: str | None,
    request: Request,
    yardstick: tuple[DatasetLimits, TokenCounter],
    here: Workers,
) -> AbstractContextManager[Workers | RayWorkers]:
    """The processes here, or with an address those of a cluster."""
    if address is None:
        return nullcontext(here)
    limits, counter = yardstick
    return RayWorkers(address, encode_order(request, counter, limits), here)


def total_bytes(sizes: Mapping[Path, int]) -> int | None:
    """The size of all sources, None where some are packed."""
    return None if any(map(compression_of, sizes)) else sum(sizes.values())


def counted_examples(examples: Iterable[Example | Issue], watch: BuildWatch) -> Iterator[Example | Issue]:
    """The examples, each counted as a record unless it is another variant of the one before."""
    last = None
    for example in examples:
        yield example
        if isinstance(example, Example) and (example.file, example.row) != last:
            last = (example.file, example.row)
            watch.advance(1, 0)


def shortened(issues: list[Issue]) -> list[Issue]:
    """The first issues, and one that counts the rest."""
    rest = len(issues) - SHOWN_ISSUES
    if rest <= 0:
        return issues
    file = issues[SHOWN_ISSUES].place.file
    more = Issue(
        place=Place(file=file), message=f"{rest} more problems like these. Fix the first ones and repeat."
    )
    return [*issues[:SHOWN_ISSUES], more]
