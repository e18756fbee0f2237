"""Remember a number for every key in a few bytes each."""

import hashlib
from array import array

# Of 16 bytes per slot, between half and three quarters are in use: 21 to 32 bytes per key.
_FULL = 0.75
_FIRST_SLOTS = 64
# One table is copied when it grows; of many small ones only one at a time.
_N_TABLES = 64


class SeenKeys:
    """A flat hash table from keys to positive numbers.

    Keys count as equal when the first 64 bits of their sha256 are, which happens by chance once in
    37 million datasets of a million records.
    """

    def __init__(self) -> None:
        self._tables = [_Table() for _ in range(_N_TABLES)]

    def put(self, key: str, number: int) -> int:
        """Store a number and return the one stored before, 0 where there was none."""
        return self.put_digest(
            int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:8], "big"), number
        )

    def put_digest(self, digest: int, number: int) -> int:
        """As `put`, for a key of which the first 64 bits of a hash are known."""
        digest = digest or 1
        return self._tables[digest % _N_TABLES].put(digest, number)


class _Table:
    def __init__(self) -> None:
        self.digests = _zeros(_FIRST_SLOTS)
        self.numbers = _zeros(_FIRST_SLOTS)
        self.n_keys = 0

    def put(self, digest: int, number: int) -> int:
        slot = self.slot(digest)
        before = self.numbers[slot]
        self.digests[slot], self.numbers[slot] = digest, number
        if not before:
            self.n_keys += 1
            if self.n_keys > _FULL * len(self.digests):
                self.grow()
        return before

    def slot(self, digest: int) -> int:
        digests = self.digests
        slot = digest // _N_TABLES % len(digests)
        while digests[slot] not in (0, digest):
            slot = (slot + 1) % len(digests)
        return slot

    def grow(self) -> None:
        digests, numbers = self.digests, self.numbers
        self.digests, self.numbers = _zeros(len(digests) * 3 // 2), _zeros(len(digests) * 3 // 2)
        for digest, number in zip(digests, numbers, strict=True):
            if digest:
                slot = self.slot(digest)
                self.digests[slot], self.numbers[slot] = digest, number


def _zeros(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))
