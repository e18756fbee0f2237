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


class NearRepeat(NamedTuple):
    """The line of the training file that a line of the validation file nearly repeats, from 0."""

    training_line: int
    share: float


class Search(NamedTuple):
    """What is compared: as many runs as there are where `max_steps` is None."""

    training: Path
    validation: Path
    threshold: float = THRESHOLD
    max_steps: int | None = None
    block_texts: int = BLOCK_TEXTS

    def is_over(self, n_steps: int) -> bool:
        """Whether that is more than wanted."""
        return self.max_steps is not None and n_steps > self.max_steps


class Part(NamedTuple):
    """The lines of the training file that are one process's: those at `number` of every `of` lines."""

    number: int
    of: int


class Found(NamedTuple):
    """What is near, by the line of the validation file, and how many runs were compared."""

    repeats: dict[int, NearRepeat]
    n_steps: int


WHOLE = Part(0, 1)


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


def max_steps_of(split: Split, n_records: int) -> int | None:
    """How many runs may be compared; None for all there are, where the recipe asks."""
    return None if is_asked(split) else max(MAX_STEPS, MAX_STEPS_A_RECORD * n_records)


def find_in_part(search: Search, part: Part = WHOLE, watch: BuildWatch = UNWATCHED) -> Found:
    """The nearest line of a part of the training file, the first of equal ones; ends after the most steps."""
    common = common_runs(_text(line) for line in _lines(search.training))
    found: dict[int, NearRepeat] = {}
    n_before = n_steps = 0
    for block in _blocks(_lines(search.validation), search.block_texts):
        texts = NearTexts(block, search.threshold, common)
        watch.begin(search.training.stat().st_size, "comparing")
        for line, content in enumerate(_lines(search.training)):
            watch.advance(1, len(content))
            if line % part.of != part.number:
                continue
            for number, share in texts.near(_text(content)):
                before = found.get(n_before + number)
                if before is None or share > before.share:
                    found[n_before + number] = NearRepeat(line, share)
            if search.is_over(n_steps + texts.n_steps):
                return Found(found, n_steps + texts.n_steps)
        n_before += len(block)
        n_steps += texts.n_steps
    return Found(found, n_steps)


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
