"""Lines of a validation file that nearly repeat a line of the training file."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from runner.dataset.near_texts import MAX_RECORDS, THRESHOLD, NearTexts, common_runs, said
from runner.examples.content import content_of_line, turns_of
from runner.recipe.model import Split

# What is compared with the training file at once: some 180 MB in memory. A larger validation file is
# compared in parts, and the training file read once for each.
BLOCK_CHARACTERS = 4_000_000
# What is compared unasked: more would take longer than all the rest of a build.
MAX_BYTES = 16 << 20
MAX_STEPS = 20_000_000


class NearRepeat(NamedTuple):
    """The line of the training file that a line of the validation file nearly repeats, from 0."""

    training_line: int
    share: float


def is_asked(split: Split) -> bool:
    """Whether a recipe says itself what is near."""
    return split.near_repeats is not None


def threshold_of(split: Split, n_records: int, size_bytes: int) -> float | None:
    """What two examples share to be near by a recipe; None where it keeps them, or is too large unasked."""
    if split.validation <= 0 or split.near_repeats == "keep":
        return None
    if split.near_repeats is None:
        return THRESHOLD if n_records <= MAX_RECORDS and size_bytes <= MAX_BYTES else None
    return split.near_repeats


def find_near_repeats(
    training: Path,
    validation: Path,
    threshold: float,
    block_characters: int = BLOCK_CHARACTERS,
    max_steps: int | None = None,
) -> dict[int, NearRepeat] | None:
    """The nearest line of the training file, the first of equal ones, by the line of the validation file.

    None where that takes more than `max_steps`: then nearly all lines resemble each other.
    """
    common = common_runs(_texts(training))
    found: dict[int, NearRepeat] = {}
    n_before = n_steps = 0
    for block in _blocks(_texts(validation), block_characters):
        texts = NearTexts(block, threshold, common)
        for line, text in enumerate(_texts(training)):
            for number, share in texts.near(text):
                before = found.get(n_before + number)
                if before is None or share > before.share:
                    found[n_before + number] = NearRepeat(line, share)
            if max_steps is not None and n_steps + texts.n_steps > max_steps:
                return None
        n_before += len(block)
        n_steps += texts.n_steps
    return dict(sorted(found.items()))


def _blocks(texts: Iterable[str], block_characters: int) -> Iterator[list[str]]:
    block: list[str] = []
    n_characters = 0
    for text in texts:
        block.append(text)
        n_characters += len(text)
        if n_characters >= block_characters:
            yield block
            block, n_characters = [], 0
    if block:
        yield block


def _texts(path: Path) -> Iterator[str]:
    with path.open("rb") as lines:
        for line in lines:
            yield said(turns_of(content_of_line(json.loads(line))))
