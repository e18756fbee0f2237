"""Find numbers that repeat among any number of them, in 8 bytes each."""

from array import array
from collections import Counter

# Equal numbers lie in the same bin, so that one bin at a time is looked at.
_N_BINS = 64
_SHIFT = 64 - 6


class RepeatedNumbers:
    """Takes numbers of 64 bits that are spread evenly, such as hashes."""

    def __init__(self) -> None:
        self._bins = [array("Q") for _ in range(_N_BINS)]
        self._appends = [numbers.append for numbers in self._bins]

    def add(self, numbers: "array[int]") -> None:
        """Take some more."""
        appends = self._appends
        for number in numbers:
            appends[number >> _SHIFT](number)

    def are_there(self) -> bool:
        """Whether any number came more than once."""
        return any(len(set(numbers)) < len(numbers) for numbers in self._bins)

    def found(self, at_most: int) -> set[int] | None:
        """The numbers that came more than once, None where there are more of them than that."""
        result: set[int] = set()
        for numbers in self._bins:
            if len(set(numbers)) < len(numbers):
                result.update(number for number, count in Counter(numbers).items() if count > 1)
            if len(result) > at_most:
                return None
        return result
