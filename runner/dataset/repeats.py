"""Find what repeats in a dataset of any size, from digests alone, in 32 bytes of memory for each example."""

from array import array
from collections import Counter
from collections.abc import Iterator
from heapq import nsmallest
from itertools import pairwise

from runner.dataset.batch import N_BINS, SIDE_BITS, Batch, bins_of, numbers
from runner.dataset.checks import SHOWN_PLACES

_FIELDS = 3


class Repeats:
    """Takes batches in order; equal digests lie in the same bin, so that one bin at a time is looked at."""

    def __init__(self) -> None:
        self._keys = [array("Q") for _ in range(N_BINS)]
        self._examples = [array("Q") for _ in range(N_BINS)]

    def add(self, batch: Batch) -> None:
        """Take the digests of a batch."""
        keys, examples = numbers(batch.keys), numbers(batch.examples)
        for number, (start, end) in enumerate(pairwise(bins_of(keys))):
            self._keys[number].extend(keys[start:end])
        for number, (start, end) in enumerate(pairwise(bins_of(examples[::_FIELDS]))):
            self._examples[number].extend(examples[start * _FIELDS : end * _FIELDS])

    def has_repeated_key(self) -> bool:
        """Whether two records have the same key."""
        return any(len(set(keys)) < len(keys) for keys in self._keys)

    def found(self) -> Iterator[tuple[str, int, list[int]]]:
        """For each rule that fired: its code, how often, and the first examples by their numbers."""
        found: dict[str, list[int]] = {"FT107": [], "FT108": [], "FT109": []}
        counts: Counter[str] = Counter()
        for examples in self._examples:
            questions = [question >> SIDE_BITS for question in examples[::_FIELDS]]
            if len(set(questions)) == len(questions):
                continue
            for code, number in _repeats(examples, questions):
                counts[code] += 1
                found[code].append(number)
            found = {code: nsmallest(SHOWN_PLACES, places) for code, places in found.items()}
        for code, first in found.items():
            if first:
                yield code, counts[code], first


def _repeats(examples: "array[int]", questions: list[int]) -> Iterator[tuple[str, int]]:
    """Code and number of every example in a bin that repeats an earlier one; see `checks.Checker`."""
    times = Counter(questions)
    pairs: set[tuple[int, int]] = set()
    sides: dict[int, int] = {}
    repeated = sorted(
        (examples[at * _FIELDS + 2], question, examples[at * _FIELDS + 1], examples[at * _FIELDS])
        for at, question in enumerate(questions)
        if times[question] > 1
    )
    for number, question, pair, marked in repeated:
        side = marked & ((1 << SIDE_BITS) - 1)
        if (question, pair) in pairs:
            yield "FT107", number
        elif question in sides:
            yield "FT108", number
        pairs.add((question, pair))
        before = sides.get(question, 0)
        if before and not before & side:
            yield "FT109", number
        sides[question] = before | side
