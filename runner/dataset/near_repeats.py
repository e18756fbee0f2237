"""Lines of a validation file that nearly repeat a line of the training file."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from runner.dataset.near_texts import MAX_RECORDS, THRESHOLD, NearTexts, common_runs, said
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.examples.content import content_of_line, turns_of
from runner.recipe.model import Split

# What is compared with the training file at once: some 200 MB in memory. A larger validation file is
# compared in parts, and the training file read once for each.
BLOCK_TEXTS, BLOCK_CHARACTERS = 20_000, 32_000_000
# What is compared unasked: up to what hosts take as one file, and as long as texts do not all resemble each
# other.
MAX_BYTES = 1 << 30
MAX_STEPS, MAX_STEPS_A_RECORD = 20_000_000, 1_000


class Bounds(NamedTuple):
    """How much is compared at once and in all; `max_steps` None for as much as there is."""

    block_texts: int = BLOCK_TEXTS
    max_steps: int | None = None


ALL = Bounds()


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


def bounds_of(split: Split, n_records: int) -> Bounds:
    """How much may be compared: as much as there is where the recipe asks."""
    return ALL if is_asked(split) else Bounds(max_steps=max(MAX_STEPS, MAX_STEPS_A_RECORD * n_records))


def find_near_repeats(
    training: Path,
    validation: Path,
    threshold: float,
    bounds: Bounds = ALL,
    watch: BuildWatch = UNWATCHED,
) -> dict[int, NearRepeat] | None:
    """The nearest line of the training file, the first of equal ones, by the line of the validation file.

    None where that takes more than the most steps: then nearly all lines resemble each other.
    """
    common = common_runs(_text(line) for line in _lines(training))
    found: dict[int, NearRepeat] = {}
    n_before = n_steps = 0
    for block in _blocks(_lines(validation), bounds.block_texts):
        texts = NearTexts(block, threshold, common)
        watch.begin(training.stat().st_size, "comparing")
        for line, content in enumerate(_lines(training)):
            watch.advance(1, len(content))
            for number, share in texts.near(_text(content)):
                before = found.get(n_before + number)
                if before is None or share > before.share:
                    found[n_before + number] = NearRepeat(line, share)
            if bounds.max_steps is not None and n_steps + texts.n_steps > bounds.max_steps:
                return None
        n_before += len(block)
        n_steps += texts.n_steps
    return dict(sorted(found.items()))


def _blocks(lines: Iterable[bytes], block_texts: int) -> Iterator[list[str]]:
    block: list[str] = []
    n_characters = 0
    for line in lines:
        block.append(_text(line))
        n_characters += len(block[-1])
        if len(block) == block_texts or n_characters >= BLOCK_CHARACTERS:
            yield block
            block, n_characters = [], 0
    if block:
        yield block


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _text(line: bytes) -> str:
    return said(turns_of(content_of_line(json.loads(line))))
