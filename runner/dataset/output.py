"""The files of a dataset while they are written: both sides of the split, the index, the hits."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.dataset.checks import Checker
from runner.dataset.checks.hits import Hit, Origin, hit_line
from runner.dataset.inputs import Inputs
from runner.dataset.split import Side
from runner.dataset.value import Dataset
from runner.dataset.write import ExampleWriter, HashedFile
from runner.recipe.model import Recipe


class Output:
    """Open files that are gone after the `with` block unless `dataset` was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_records = 0
        self._last: tuple[str, int] | None = None
        self._stack = ExitStack()
        names: tuple[Side, Side] = ("training", "validation")
        self.sides = {side: self._stack.enter_context(ExampleWriter(folder)) for side in names}
        self.index = self._stack.enter_context(HashedFile(folder))
        self.hits = self._stack.enter_context(HashedFile(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def count(self, file: str, row: int) -> None:
        """Count the record of an example; the examples of one record follow each other."""
        self.n_records += (file, row) != self._last
        self._last = (file, row)

    def write_hit(self, hit: Hit, origin: Origin | None) -> None:
        """Append what a check found."""
        self.hits.write(hit_line(hit, origin))

    def dataset(self, recipe: Recipe, inputs: Inputs, checker: Checker) -> Dataset:
        """Give the files their names."""
        training, validation = self.sides["training"], self.sides["validation"]
        findings = checker.findings(
            training.n_examples,
            validation.n_examples,
            split_asked=recipe.split.validation > 0,
            keyed=recipe.key is not None,
            sizes=(training.size_bytes, validation.size_bytes),
        )
        return Dataset(
            folder=self.folder,
            training_file=training.finish(),
            validation_file=validation.finish() if validation.n_examples else None,
            sources=inputs.sources,
            templates=inputs.templates,
            findings=tuple(findings),
            n_records=self.n_records,
            index=self.index.keep(".index"),
            hits=self.hits.keep(".hits"),
            ignored=tuple(checker.ignored),
        )
