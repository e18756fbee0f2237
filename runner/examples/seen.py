"""Remember a number for every key in a few bytes each."""

import hashlib
from array import array

# Of 16 bytes per slot, between half and three quarters are in use: 21 to 32 bytes per key.
_FULL = 0.75
_FIRST_SLOTS = 1_024


class SeenKeys:
    """A flat hash table from keys to positive numbers.

    Keys count as equal when the first 64 bits of their sha256 are, which happens by chance once in
    37 million datasets of a million records.
    """

    def __init__(self) -> None:
        self._digests = _zeros(_FIRST_SLOTS)
        self._numbers = _zeros(_FIRST_SLOTS)
        self._n_keys = 0

    def put(self, key: str, number: int) -> int:
        """Store a number and return the one stored before, 0 where there was none."""
        digest = int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:8], "big") or 1
        slot = self._slot(digest)
        before = self._numbers[slot]
        self._digests[slot], self._numbers[slot] = digest, number
        if not before:
            self._n_keys += 1
            if self._n_keys > _FULL * len(self._digests):
                self._grow()
        return before

    def _slot(self, digest: int) -> int:
        digests = self._digests
        slot = digest % len(digests)
        while digests[slot] not in (0, digest):
            slot = (slot + 1) % len(digests)
        return slot

    def _grow(self) -> None:
        digests, numbers = self._digests, self._numbers
        self._digests, self._numbers = _zeros(len(digests) * 3 // 2), _zeros(len(digests) * 3 // 2)
        for digest, number in zip(digests, numbers, strict=True):
            if digest:
                slot = self._slot(digest)
                self._digests[slot], self._numbers[slot] = digest, number


def _zeros(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))
