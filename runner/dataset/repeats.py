"""Find a key that repeats in a dataset of any size, from digests alone, in 8 bytes for each record."""

from array import array
from itertools import pairwise

from runner.dataset.batch import N_BINS, Batch, bins_of, numbers


class RepeatedKeys:
    """Takes batches in order; equal digests lie in the same bin, so that one bin at a time is looked at."""

    def __init__(self) -> None:
        self._keys = [array("Q") for _ in range(N_BINS)]

    def add(self, batch: Batch) -> None:
        """Take the digests of a batch."""
        keys = numbers(batch.keys)
        for number, (start, end) in enumerate(pairwise(bins_of(keys))):
            self._keys[number].extend(keys[start:end])

    def are_there(self) -> bool:
        """Whether two records have the same key."""
        return any(len(set(keys)) < len(keys) for keys in self._keys)
