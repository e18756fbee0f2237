"""Texts that are nearly the same: MinHash says which may be, and each such pair is compared in full."""

import math
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, filterfalse, islice

THRESHOLD = 0.8
MAX_RECORDS = 100_000
# Four units of UTF-16 are one number of 64 bits.
RUN = 4
_UNIT_BYTES, _RUN_BYTES = 2, 8
_SAMPLE = 1_000
# What a text is signed with: so many hashes, of 4 bytes each.
N_HASHES, HASH_BYTES = 128, 4
_SEED = 20261123
# One band in common is chance where there are many texts.
_LEAST_BANDS = 3
# The most pairs of exactly the threshold that may be missed; nearer ones are missed far less often.
_MISSED = 1e-4
# What signatures say of two texts is off by some 0.035 (the root of 0.8 * 0.2 / 128), hardly ever by this.
_OFF = 0.15
# So many bands are compared in the time of one run, and a signature in that of so many runs.
_STEP = 4
_NOT_COMPARED = frozenset({"system", "developer"})


def said(turns: Iterable[tuple[str, str]]) -> str:
    """What is compared of a conversation: all but instructions, which every example may share."""
    return "\n".join(content for role, content in turns if role not in _NOT_COMPARED)


def flat(text: str) -> str:
    """A text without differences of case, width and white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def runs_of(text: str) -> set[int]:
    """The runs of four characters of a text, each as a number; a shorter text is one run."""
    return set(memoryview(_all_runs(text)).cast("Q"))


def common_runs(texts: Iterable[str]) -> frozenset[int]:
    """What more than half of the first 1,000 texts have, and three at least: the words of a template."""
    counts: Counter[int] = Counter()
    n_texts = 0
    for text in islice(texts, _SAMPLE):
        counts.update(runs_of(text))
        n_texts += 1
    least = max(3, n_texts // 2 + 1)
    return frozenset(run for run, count in counts.items() if count >= least)


def rows_of_a_band(threshold: float) -> int:
    """Of how many hashes a band is, so that hardly a pair of this threshold has too few bands in common.

    Leskovec, Rajaraman, Ullman: Mining of Massive Datasets (2020), section 3.4.2, for more than one band.
    """
    fitting = (rows for rows in range(N_HASHES // _LEAST_BANDS, 1, -1) if missed(threshold, rows) <= _MISSED)
    return next(fitting, 1)


def missed(share: float, rows: int) -> float:
    """Which part of the pairs that share so much have too few bands of so many hashes in common."""
    n_bands, chance = N_HASHES // rows, share**rows
    ways = (math.comb(n_bands, n) * chance**n * (1 - chance) ** (n_bands - n) for n in range(_LEAST_BANDS))
    return sum(ways)


class NearTexts:
    """Some texts, to be compared with any number of others that stream past.

    Two texts are near where they share `threshold` of all runs that either has, `common` ones not counted.
    What may be near is found by the bands of its signature, and then compared run by run.
    """

    def __init__(self, texts: Iterable[str], threshold: float, common: frozenset[int] = frozenset()) -> None:
        from rensa import RMinHash

        self._sketch = RMinHash.digest_matrix_from_flat_token_hashes
        self.threshold = threshold
        self.common = common
        self.texts = list(texts)
        # How many runs were compared so far, which is what takes the time where texts resemble each other.
        self.n_steps = 0
        size = rows_of_a_band(threshold) * HASH_BYTES
        self._signatures: list[int] = []
        starts = range(0, N_HASHES * HASH_BYTES - size + 1, size)
        self._cuts = [slice(start, start + size) for start in starts]
        # By band: the texts that have its hashes.
        self._numbers: list[dict[bytes, list[int]]] = [{} for _ in self._cuts]
        for number, text in enumerate(self.texts):
            signature = self.sign(text)
            self._signatures.append(_as_number(signature))
            for key, numbers in zip(self._bands(signature), self._numbers, strict=True):
                numbers.setdefault(key, []).append(number)

    def near(self, text: str) -> Iterator[tuple[int, float]]:
        """The numbers of the texts that this one is near, each with what they share."""
        numbers = self._candidates(text)
        if not numbers:
            return
        own = self._own(text)
        for number in numbers:
            other = self._own(self.texts[number])
            self.n_steps += len(other)
            n_shared = len(own & other)
            share = n_shared / (len(own) + len(other) - n_shared)
            if share >= self.threshold:
                yield number, share

    def _candidates(self, text: str) -> list[int]:
        signature = self.sign(text)
        bands = zip(self._bands(signature), self._numbers, strict=True)
        met = Counter(chain.from_iterable(numbers.get(key, ()) for key, numbers in bands))
        found = [number for number, n_bands in met.items() if n_bands >= _LEAST_BANDS]
        self.n_steps += met.total() // _STEP + len(found) * _STEP
        least = (self.threshold - _OFF) * N_HASHES
        own = _as_number(signature)
        return [number for number in sorted(found) if _n_equal(own, self._signatures[number]) >= least]

    def _own(self, text: str) -> set[int]:
        runs = runs_of(text)
        # A text of nothing but a template's words is compared by them.
        return runs - self.common or runs

    def sign(self, text: str) -> "array[int]":
        """The smallest of each of 128 hashes of the runs of a text."""
        runs = memoryview(_all_runs(text)).cast("Q")
        own = array("Q", filterfalse(self.common.__contains__, runs)) if self.common else runs
        matrix = self._sketch(own or runs, array("Q", (0, len(own or runs))), N_HASHES, _SEED)
        return array("I", matrix.to_rows()[0])

    def _bands(self, signature: "array[int]") -> list[bytes]:
        content = signature.tobytes()
        return [content[cut] for cut in self._cuts]


def _as_number(signature: "array[int]") -> int:
    return int.from_bytes(signature.tobytes(), "little")


def _n_equal(signature: int, other: int) -> int:
    """How many hashes are the same; a sixth of the time that one by one takes."""
    return array("I", (signature ^ other).to_bytes(N_HASHES * HASH_BYTES, "little")).count(0)


def _all_runs(text: str) -> bytes:
    """The runs of a text, four units of UTF-16 each, one as often as it occurs."""
    units = flat(text).encode("utf-16-le", "surrogatepass").ljust(_RUN_BYTES, b"\0")
    shifted = (units[start:] for start in range(0, _RUN_BYTES, _UNIT_BYTES))
    return b"".join(part[: len(part) // _RUN_BYTES * _RUN_BYTES] for part in shifted)
