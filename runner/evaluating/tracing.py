"""Traces a text to the training records that it most likely comes from."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runner.building import supply_sources
from runner.dataset.split import side_of
from runner.errors import RunnerError
from runner.evaluating.questions import read_all
from runner.evaluation.retrieval import Near, NearestRecords
from runner.operator import Operator
from runner.pipeline import validate
from runner.recipe.choosing import with_one_dataset
from runner.review.git import Commit, last_change

# The formats in which a row is a line.
ROW_IS_LINE = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A training record near a text by the nearest of its examples, and the commit that last changed it.

    `commit_is_of_row` tells a commit of that very line from the last one of the whole file.
    """

    near: Near
    commit: Commit | None = None
    commit_is_of_row: bool = False


def trace(text: str, path: Path, operator: Operator, count: int) -> list[Trace]:
    """The training records nearest to a question or an answer, the nearest first."""
    loaded = with_one_dataset(validate(path, operator), operator.only)
    supply_sources(loaded, operator)
    split = loaded.recipe.split
    training = [
        example
        for example in read_all(loaded, loaded.recipe.sources)
        if side_of(example.key if example.group is None else example.group, split) == "training"
    ]
    if not text.strip():
        raise RunnerError("there is nothing to look for. Give a question or an answer.")
    found = NearestRecords(training).find_records(text, count)
    return [_trace(near, loaded.project.root, operator) for near in found]


def _trace(near: Near, root: Path, operator: Operator) -> Trace:
    file, row = near.example.file, near.example.row
    line = _line(root / file, row) if file.endswith(ROW_IS_LINE) else None
    commit = last_change(root, file, operator.environment, line)
    return Trace(near=near, commit=commit, commit_is_of_row=commit is not None and line is not None)


def _line(path: Path, number: int) -> bytes | None:
    with path.open("rb") as stream:
        return next((line.rstrip(b"\r\n") for line in islice(stream, number - 1, number)), None)
