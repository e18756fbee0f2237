"""The files of a dataset while they are written: both sides of the split, the index, the hits."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.dataset.checks import Checker
from runner.dataset.checks.hits import Hit, Origin, hit_line
from runner.dataset.index import LEFT_OUT, first_number_of
from runner.dataset.inputs import Inputs
from runner.dataset.measure import measure_line
from runner.dataset.near_parts import find_near_repeats
from runner.dataset.near_repeats import NearRepeat, Search, is_asked, max_steps_of, threshold_of
from runner.dataset.split import Side
from runner.dataset.value import Dataset
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.dataset.write import ExampleWriter, HashedFile
from runner.recipe.model import Recipe


class Output:
    """Open files that are gone after the `with` block unless `dataset` was called.

    `watch` is told of the search for near repeats.
    """

    def __init__(self, folder: Path, watch: BuildWatch = UNWATCHED) -> None:
        self.folder = folder
        self.watch = watch
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
        """Leave out of validation what nearly repeats training, and give the files their names."""
        n_near_repeats = self._leave_out(recipe, checker)
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
            n_near_repeats=n_near_repeats,
        )

    def _leave_out(self, recipe: Recipe, checker: Checker) -> int:
        """How many lines the validation file had that nearly repeat a line of the training file."""
        training, validation = self.sides["training"], self.sides["validation"]
        if not validation.n_examples:
            return 0
        threshold = threshold_of(recipe.split, self.n_records, training.size_bytes + validation.size_bytes)
        repeats = None
        if threshold is not None:
            files = training.written(), validation.written()
            most = max_steps_of(recipe.split, self.n_records)
            repeats = find_near_repeats(Search(*files, threshold, most), self.watch)
        if repeats is None and not is_asked(recipe.split):
            checker.report_not_compared()
        if not repeats:
            return 0
        kept = self._stack.enter_context(ExampleWriter(self.folder))
        for number, line in enumerate(_lines(validation)):
            if number not in repeats:
                kept.write(line)
            else:
                validation.n_tokens -= measure_line(json.loads(line), checker.counter).n_tokens
        kept.n_examples, kept.n_tokens = validation.n_examples - len(repeats), validation.n_tokens
        self.sides["validation"] = kept
        checker.report_left_out(self._leave_out_of_index(repeats))
        return len(repeats)

    def _leave_out_of_index(self, repeats: Mapping[int, NearRepeat]) -> dict[int, tuple[int, float]]:
        """Say so in the index; the nearest training example and the share, by the example left out."""
        nearest = {repeat.training_line for repeat in repeats.values()}
        identities: dict[str, dict[int, int]] = {"training": {}, "validation": {}}
        wanted = {"training": nearest, "validation": repeats.keys()}
        index = self._stack.enter_context(HashedFile(self.folder))
        counts = {"training": 0, "validation": 0}
        for line in _lines(self.index):
            row = line.decode("ascii")
            side = row.split()[2]
            if counts[side] in wanted[side]:
                identities[side][counts[side]] = first_number_of(row)
                row = row.replace("validation", LEFT_OUT)
            counts[side] += 1
            index.write(row.encode("ascii"))
        self.index = index
        return {
            identities["validation"][line]: (identities["training"][near], share)
            for line, (near, share) in repeats.items()
        }


def _lines(file: HashedFile) -> Iterator[bytes]:
    with file.written().open("rb") as lines:
        yield from lines
