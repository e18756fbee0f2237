"""Finds the source rows behind the examples that a provider's message blames by number."""

import re
from collections.abc import Iterator, Set
from itertools import islice
from pathlib import Path

from runner.dataset.index import index_line
from runner.examples.confinement import read_confined
from runner.issues import Issue, Place
from runner.lock.lockfile import LockedRun
from runner.providers.base import JobError
from runner.recipe.load import LoadedRecipe

# As OpenAI writes them: "Example 100, message 2 …", "Flagged lines: 4, 13, …".
_EXAMPLE = re.compile(r"\b[Ee]xamples? (\d+)")
_LINES = re.compile(r"\b[Ll]ines?:? (\d+(?:, ?\d+)*)")
MAX_BLAMED = 5


def blamed_examples(loaded: LoadedRecipe, run: LockedRun, error: JobError) -> Iterator[str]:
    """A line for every example that an error names by number: the line of our file, and its source row.

    Hosted services do not say whether they count from 0 or 1, so both are given; the local one counts from 1.
    Rows are left out where the sources are not as they were.
    """
    side = "validation" if "validation" in f"{error.code} {error.message} {error.param}" else "training"
    bases = (1,) if run.job is not None and run.job.provider == "local" else (1, 0)
    n_lines = _n_examples(run, side)
    possible = {
        number: [line for base in bases if 1 <= (line := number + 1 - base) <= n_lines]
        for number in _numbers(error.message)
    }
    places = _places(loaded, run, side, {line for lines in possible.values() for line in lines})
    for number, lines in possible.items():
        if not lines:
            continue
        sentence = f"Example {number} → line {lines[0]} of the {side} file{_origin(lines[0], places)}"
        if len(lines) > 1:
            sentence += f", or line {lines[1]}{_origin(lines[1], places)} if the provider counts from 0"
        yield sentence


def _n_examples(run: LockedRun, side: str) -> int:
    locked = run.training_file if side == "training" else run.validation_file
    return locked.file.n_examples if locked else 0


def _numbers(message: str) -> list[int]:
    found = [int(number) for number in _EXAMPLE.findall(message)]
    for listed in _LINES.findall(message):
        found += [int(number) for number in listed.split(",")]
    return list(dict.fromkeys(found))[:MAX_BLAMED]


def _origin(line: int, places: dict[int, Place]) -> str:
    return f" ({places[line]})" if line in places else ""


def _places(loaded: LoadedRecipe, run: LockedRun, side: str, wanted: Set[int]) -> dict[int, Place]:
    """The source rows of lines of a dataset file, of examples that still are what was sent."""
    lines = _index_lines(loaded.project.state / "datasets" / f"{run.index}.index", side, wanted)
    by_line = {line: number for number, line in lines.items()}
    places: dict[int, Place] = {}
    if not by_line:
        return places
    for example in read_confined(loaded.recipe, loaded.folder, loaded.project):
        if isinstance(example, Issue):
            continue
        number = by_line.get(index_line(example, side))
        if number is not None:
            places[number] = Place(file=example.file, row=example.row)
        if len(places) == len(by_line):
            break
    return places


def _index_lines(index: Path, side: str, wanted: Set[int]) -> dict[int, str]:
    try:
        with index.open(encoding="ascii") as stream:
            of_side = (line for line in stream if line.endswith(f" {side}\n"))
            numbered = enumerate(islice(of_side, max(wanted, default=0)), start=1)
            return {number: line for number, line in numbered if number in wanted}
    except OSError:
        return {}
