"""Both states rendered at the same time, each conversation that they share measured once."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from runner.dataset.cache import cache_key, read_cached
from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.inputs import find_inputs
from runner.dataset.split import Side, side_of
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset, DatasetFile
from runner.dataset.write import training_line
from runner.errors import InvalidInputError
from runner.examples.confinement import read_confined
from runner.examples.read import Example, Message
from runner.issues import Issue
from runner.price import Price, price_of
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Recipe
from runner.review.table import AFTER, BEFORE, ExampleTable
from runner.review.value import ExampleChanges

# A conversation's line in a training file, and its tokens.
Measure = Callable[[tuple[Message, ...]], tuple[bytes, int]]
# Enough to meet a conversation again on the other side, a few records added or removed before it.
_REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A recipe to render and what its examples are measured with; `state` holds what earlier builds found."""

    loaded: LoadedRecipe
    host: Host
    limits: DatasetLimits
    counter: TokenCounter
    state: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a dataset would be: nothing was written. `problems` are records that make no example."""

    dataset: Dataset
    price: Price
    problems: tuple[Issue, ...] = ()


def render_both(
    before: Task | None, after: Task | None, folder: Path, limit: int
) -> tuple[Rendered | None, Rendered | None, ExampleChanges]:
    """Render two states and compare their conversations; `folder` takes the temporary file.

    States that make the same conversations from the same files are rendered once, or not at all where an
    earlier build did.
    """
    old, new = (_Measured(task) if task else None for task in (before, after))
    if old and new and old.key == new.key is not None:
        if new.cached is None:
            _read([(AFTER, new)], None)
        return _rendered(old.task, new), _rendered(new.task, new), ExampleChanges()
    if old and new and old.task.counter == new.task.counter:
        new.measure = old.measure
    with ExampleTable(folder / "examples.sqlite") as table:
        _read([(name, side) for name, side in ((BEFORE, old), (AFTER, new)) if side], table)
        found = [_rendered(side.task, side) if side else None for side in (old, new)]
        return found[0], found[1], table.changes(limit)


def _read(sides: "Sequence[tuple[str, _Measured]]", table: ExampleTable | None) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(closing(_items(side.task.loaded))) for _, side in sides]
        for items in zip_longest(*streams):
            placed: list[tuple[str, Example, Side]] = []
            for (name, side), item in zip(sides, items, strict=True):
                if isinstance(item, Example):
                    placed.append((name, item, side.add(item)))
                elif item is not None:
                    side.problems.append(item)
            if table is None or _are_same(placed):
                continue
            for row in placed:
                table.add(*row)


def _are_same(placed: Sequence[tuple[str, Example, Side]]) -> bool:
    """Whether both states have the same conversation here: neither table needs it then."""
    return len(placed) == 2 and placed[0][1:] == placed[1][1:]


def _items(loaded: LoadedRecipe) -> Generator[Example | Issue, None, None]:
    yield from read_confined(loaded.recipe, loaded.folder, loaded.project)


@dataclass
class _File:
    """One side of the split as it would be written."""

    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size_bytes: int = 0
    n_examples: int = 0
    n_tokens: int = 0

    def add(self, line: bytes, n_tokens: int) -> None:
        self.digest.update(line)
        self.size_bytes += len(line)
        self.n_examples += 1
        self.n_tokens += n_tokens

    def value(self, *, tokens_exact: bool) -> DatasetFile:
        return DatasetFile(
            sha256=self.digest.hexdigest(),
            size_bytes=self.size_bytes,
            n_examples=self.n_examples,
            n_tokens=self.n_tokens,
            tokens_exact=tokens_exact,
        )


class _Measured:
    """One state's examples, counted and checked as they stream past, unless an earlier build did."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.recipe: Recipe = task.loaded.recipe
        self.key = _data_key(task)
        self.cached = (
            read_cached(task.state / "cache", self.key, task.state / "datasets") if self.key else None
        )
        self.measure = _measuring(task.counter)
        self.checker = Checker(task.limits, task.counter)
        self.files: dict[Side, _File] = {"training": _File(), "validation": _File()}
        self.problems: list[Issue] = []
        self.n_records = 0
        self.last: tuple[str, int] | None = None

    def add(self, example: Example) -> Side:
        """Count an example; tells its side of the split."""
        side = side_of(example.key if example.group is None else example.group, self.recipe.split)
        if self.cached is None:
            line, n_tokens = self.measure(example.messages)
            self.checker.observe(example, side, n_tokens)
            self.files[side].add(line, n_tokens)
            self.n_records += (example.file, example.row) != self.last
            self.last = (example.file, example.row)
        return side

    def dataset(self) -> Dataset:
        """What a build would make, but for the files themselves."""
        if self.cached is not None:
            return self.cached
        exact = self.task.counter.margin == 0
        training, validation = self.files["training"], self.files["validation"]
        findings = self.checker.findings(
            training.n_examples,
            validation.n_examples,
            split_asked=self.recipe.split.validation > 0,
            keyed=self.recipe.key is not None,
        )
        return Dataset(
            folder=Path(),
            training_file=training.value(tokens_exact=exact),
            validation_file=validation.value(tokens_exact=exact) if validation.n_examples else None,
            sources=(),
            templates=(),
            findings=tuple(findings),
            n_records=self.n_records,
            index="",
        )


def _data_key(task: Task) -> str | None:
    try:
        inputs = find_inputs(task.loaded)
    except InvalidInputError:
        # Rendering says what is wrong with the files.
        return None
    return cache_key(task.loaded.recipe, inputs, task.limits, task.counter)


def _measuring(counter: TokenCounter) -> Measure:
    @lru_cache(maxsize=_REMEMBERED)
    def measure(messages: tuple[Message, ...]) -> tuple[bytes, int]:
        return training_line(messages), counter.count(messages)

    return measure


def _rendered(task: Task, measured: _Measured) -> Rendered:
    dataset = measured.dataset()
    price = price_of(task.loaded.recipe, dataset, task.host, task.host.model(task.loaded.root_model))
    return Rendered(dataset=dataset, price=price, problems=tuple(measured.problems))
