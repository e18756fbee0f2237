"""Texts that are nearly the same, found exactly: no pair is missed, and none depends on a seed."""

import math
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

THRESHOLD = 0.8
MAX_RECORDS = 100_000
# Four units of UTF-16 are one number of 64 bits.
RUN = 4
_UNIT_BYTES, _RUN_BYTES = 2, 8
_SAMPLE = 1_000
_NOT_COMPARED = frozenset({"system", "developer"})


def said(turns: Iterable[tuple[str, str]]) -> str:
    """What is compared of a conversation: all but instructions, which every example may share."""
    return "\n".join(content for role, content in turns if role not in _NOT_COMPARED)


def flat(text: str) -> str:
    """A text without differences of case, width and white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def runs_of(text: str) -> set[int]:
    """The runs of four characters of a text, each as a number; a shorter text is one run."""
    units = flat(text).encode("utf-16-le", "surrogatepass").ljust(_RUN_BYTES, b"\0")
    view = memoryview(units)
    found: set[int] = set()
    for start in range(0, _RUN_BYTES, _UNIT_BYTES):
        whole = (len(units) - start) // _RUN_BYTES * _RUN_BYTES
        found.update(view[start : start + whole].cast("Q"))
    return found


def common_runs(texts: Iterable[str]) -> frozenset[int]:
    """What more than half of the first 1,000 texts have, and three at least: the words of a template."""
    counts: Counter[int] = Counter()
    n_texts = 0
    for text in islice(texts, _SAMPLE):
        counts.update(runs_of(text))
        n_texts += 1
    least = max(3, n_texts // 2 + 1)
    return frozenset(run for run, count in counts.items() if count >= least)


class NearTexts:
    """Some texts, to be compared with any number of others that stream past.

    Two texts are near where they share `threshold` of all runs that either has, `common` ones not counted.
    A text that near has one of the rarest fifth of another's runs, and ever more of them the nearer it is, so
    only those are indexed. Chaudhuri, Ganti, Kaushik: A Primitive Operator for Similarity Joins (2006),
    section 4.
    """

    def __init__(self, texts: Iterable[str], threshold: float, common: frozenset[int] = frozenset()) -> None:
        self.threshold = threshold
        self.common = common
        self.runs = [array("Q", self._own(text)) for text in texts]
        counts: Counter[int] = Counter()
        # What is rare may be guessed: it decides how much is compared, not what is found.
        for runs in self.runs[:_SAMPLE]:
            counts.update(runs)
        self.n_indexed: list[int] = []
        index: dict[int, list[int]] = {}
        for number, runs in enumerate(self.runs):
            rarest = self._rarest(runs, counts)
            self.n_indexed.append(len(rarest))
            for run in rarest:
                index.setdefault(run, []).append(number)
        self.index = index
        self.indexed = frozenset(index)
        # How many runs were compared so far, which is what takes the time where texts resemble each other.
        self.n_steps = 0

    def near(self, text: str) -> Iterator[tuple[int, float]]:
        """The numbers of the texts that this one is near, each with what they share."""
        own = self._own(text)
        met: Counter[int] = Counter()
        for run in own & self.indexed:
            numbers = self.index[run]
            self.n_steps += len(numbers)
            met.update(numbers)
        for number, n_met in met.items():
            runs = self.runs[number]
            # All that is not indexed may be shared.
            n_shared = n_met + len(runs) - self.n_indexed[number]
            if _share(n_shared, len(own), len(runs)) < self.threshold:
                continue
            self.n_steps += len(runs)
            share = _share(len(own.intersection(runs)), len(own), len(runs))
            if share >= self.threshold:
                yield number, share

    def _own(self, text: str) -> set[int]:
        runs = runs_of(text)
        # A text of nothing but a template's words is compared by them.
        return runs - self.common or runs

    def _rarest(self, runs: Sequence[int], counts: Counter[int]) -> list[int]:
        """What a text cannot be without and still be near."""
        # A product that rounding made larger would leave one out.
        length = len(runs) - math.ceil(self.threshold * len(runs) - 1e-9) + 1
        return sorted(runs, key=lambda run: (counts[run], run))[:length]


def _share(n_shared: int, n_one: int, n_other: int) -> float:
    return n_shared / (n_one + n_other - n_shared)
