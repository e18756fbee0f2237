"""A dataset on disk as a review reads it: its index in order, and single conversations by their place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from runner.dataset.index import LEFT_OUT
from runner.dataset.split import Side
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import RunnerError
from runner.examples.content import content_of_line, line_of, turns_of
from runner.examples.read import Example, Message
from runner.lock.lockfile import LockedRun


class Row(NamedTuple):
    """A conversation in an index: hashes of its record's key and of its messages, its side of the split."""

    identity: bytes
    digest: bytes
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """The files of a dataset by side of the split, and their index; `folder` is where they lie, or would."""

    folder: Path
    index: str
    files: Mapping[Side, DatasetFile]

    @property
    def is_here(self) -> bool:
        """Whether all files are there and whole."""
        paths = [(self._path(file), file.size_bytes) for file in self.files.values()]
        whole = (path.is_file() and path.stat().st_size == size_bytes for path, size_bytes in paths)
        return self._index.is_file() and all(whole)

    def lines(self) -> Iterator[str]:
        """One line for each conversation, in the order of the sources; `row_of` reads it."""
        with self._index.open(encoding="ascii") as lines:
            yield from lines

    def rows(self, places: set[int]) -> dict[int, Row]:
        """The rows at places of the index."""
        lines = enumerate(self.lines() if places else ())
        return {place: row_of(line) for place, line in lines if place in places}

    def examples(self, places: set[int]) -> dict[int, Example]:
        """The conversations at places of the index. Files keep no keys, so these examples have none."""
        wanted: dict[Side, dict[int, int]] = {side: {} for side in self.files}
        counts = dict.fromkeys(self.files, 0)
        for place, line in enumerate(self.lines() if places else ()):
            if is_left_out(line):
                continue
            side = _side_of(line)
            if side not in counts:
                raise RunnerError(
                    f"{self._index} does not fit its dataset. Delete it; a build makes it again."
                )
            if place in places:
                wanted[side][counts[side]] = place
            counts[side] += 1
        return {
            place: example
            for side, numbers in wanted.items()
            for place, example in self._lines(side, numbers)
        }

    def _lines(self, side: Side, numbers: Mapping[int, int]) -> Iterator[tuple[int, Example]]:
        if not numbers:
            return
        with self._path(self.files[side]).open("rb") as lines:
            for number, line in enumerate(lines):
                if number in numbers:
                    yield numbers[number], _example(line)

    def _path(self, file: DatasetFile) -> Path:
        return self.folder / f"{file.sha256}.jsonl"

    @property
    def _index(self) -> Path:
        return self.folder / f"{self.index}.index"


def row_of(line: str) -> Row:
    """The row of a line of an index."""
    identity, digest, _ = line.split()
    return Row(bytes.fromhex(identity), bytes.fromhex(digest), _side_of(line))


def is_left_out(line: str) -> bool:
    """Whether a line of an index is of an example that neither file has."""
    return line.endswith(f"{LEFT_OUT}\n")


def _side_of(line: str) -> Side:
    return "training" if line.endswith("training\n") else "validation"


def indexed_run(run: LockedRun, folder: Path) -> Indexed:
    """The dataset that a locked run was trained on."""
    files: dict[Side, DatasetFile] = {"training": run.training_file.file}
    if run.validation_file is not None:
        files["validation"] = run.validation_file.file
    return Indexed(folder=folder, index=run.index, files=files)


def indexed_dataset(dataset: Dataset) -> Indexed:
    """A dataset that was built."""
    files: dict[Side, DatasetFile] = {"training": dataset.training_file}
    if dataset.validation_file is not None:
        files["validation"] = dataset.validation_file
    return Indexed(folder=dataset.folder, index=dataset.index, files=files)


def _example(line: bytes) -> Example:
    content = content_of_line(json.loads(line))
    messages = tuple(Message(role, text) for role, text in turns_of(content))
    return Example(key="", group=None, variant="", messages=messages, file="", row=0, line=line_of(content))
