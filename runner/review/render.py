"""Both states rendered at the same time, each conversation that they share measured once."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, zip_longest
from pathlib import Path

from runner.dataset.cache import cache_key, read_cached
from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.inputs import find_inputs
from runner.dataset.split import Side, side_of
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import InvalidInputError
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.price import Price, price_of
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Recipe
from runner.review.locked import LockedData
from runner.review.measure import CHUNK, Measure, Measures, Messages
from runner.review.table import AFTER, BEFORE, ExampleTable, Row
from runner.review.value import ExampleChanges


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


# One side of a comparison: a recipe to render, a locked run to read, or nothing.
Part = Task | LockedData | None
_Item = Example | Issue | Row | None


def render_both(
    before: Part, after: Part, folder: Path, limit: int
) -> tuple[Rendered | None, Rendered | None, ExampleChanges | None]:
    """Render two states and compare their conversations; `folder` takes the temporary file.

    States that make the same conversations from the same files are rendered once, or not at all where an
    earlier build did. The changes are None where a locked run's conversations are not on this machine.
    """
    old, new = (_Measured(part) if isinstance(part, Task) else part for part in (before, after))
    if isinstance(old, _Measured) and isinstance(new, _Measured):
        if old.key == new.key is not None:
            if new.cached is None:
                _read([(AFTER, new)], None)
            return _rendered(old.task, new), _rendered(new.task, new), ExampleChanges()
        if old.task.counter == new.task.counter:
            new.measures = old.measures
    sides = [(name, side) for name, side in ((BEFORE, old), (AFTER, new)) if side is not None]
    is_here = all(side.is_here for _, side in sides if isinstance(side, LockedData))
    with ExampleTable(folder / "examples.sqlite") as table:
        if is_here:
            _read(sides, table)
        else:
            _read([(name, side) for name, side in sides if isinstance(side, _Measured)], None)
        first, second = (
            _rendered(side.task, side) if isinstance(side, _Measured) else None for side in (old, new)
        )
        return first, second, table.changes(limit) if is_here else None


def _read(sides: "Sequence[tuple[str, _Measured | LockedData]]", table: ExampleTable | None) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(closing(_items(side))) for _, side in sides]
        together = zip_longest(*streams)
        while chunk := list(islice(together, CHUNK)):
            columns = _rows([side for _, side in sides], list(zip(*chunk, strict=True)))
            for rows in zip(*columns, strict=True):
                placed = [(name, row) for (name, _), row in zip(sides, rows, strict=True) if row is not None]
                if table is None or _are_same(placed):
                    continue
                for name, row in placed:
                    table.add(name, row)


def _rows(
    sides: "Sequence[_Measured | LockedData]", columns: Sequence[Sequence[_Item]]
) -> list[list[Row | None]]:
    """What both sides show next as rows, counted and checked; sides that count alike measure together."""
    found: list[list[Row | None]] = [
        [item if isinstance(item, Row) else None for item in column] for column in columns
    ]
    measured = [(number, side) for number, side in enumerate(sides) if isinstance(side, _Measured)]
    for measures in {id(side.measures): side.measures for _, side in measured}.values():
        group = [(number, side) for number, side in measured if side.measures is measures]
        wanted = [[side.wanted(item) for item in columns[number]] for number, side in group]
        for (number, side), results in zip(group, measures.of(wanted), strict=True):
            found[number] = [side.add(*pair) for pair in zip(columns[number], results, strict=True)]
    return found


def _are_same(placed: Sequence[tuple[str, Row]]) -> bool:
    """Whether both states have the same conversation here: neither table needs it then."""
    return len(placed) == 2 and placed[0][1].is_like(placed[1][1])


def _items(side: "_Measured | LockedData") -> Generator[Example | Issue | Row, None, None]:
    if isinstance(side, LockedData):
        yield from side.rows()
    else:
        loaded = side.task.loaded
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
        self.measures = Measures(task.counter)
        self.checker = Checker(task.limits, task.counter)
        self.files: dict[Side, _File] = {"training": _File(), "validation": _File()}
        self.problems: list[Issue] = []
        self.n_records = 0
        self.last: tuple[str, int] | None = None

    def wanted(self, item: _Item) -> Messages | None:
        """What of an item has to be measured: nothing where an earlier build did."""
        return item.messages if self.cached is None and isinstance(item, Example) else None

    def add(self, item: _Item, measure: Measure | None) -> Row | None:
        """Count an example, or note a problem."""
        if isinstance(item, Issue):
            self.problems.append(item)
        if not isinstance(item, Example):
            return None
        side = side_of(item.key if item.group is None else item.group, self.recipe.split)
        if measure is not None:
            self.checker.observe(item, side, measure.n_tokens)
            self.files[side].add(measure.line, measure.n_tokens)
            self.n_records += (item.file, item.row) != self.last
            self.last = (item.file, item.row)
        return Row(example=item, side=side)

    @cached_property
    def dataset(self) -> Dataset:
        """What a build would make, but for the files themselves; to be asked for at the end."""
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


def _rendered(task: Task, measured: _Measured) -> Rendered:
    dataset = measured.dataset
    price = price_of(task.loaded.recipe, dataset, task.host, task.host.model(task.loaded.root_model))
    return Rendered(dataset=dataset, price=price, problems=tuple(measured.problems))
