"""Finds the training records nearest to a text, in any script, by BM25 over runs of characters."""

import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from runner.errors import MissingExtraError
from runner.examples.read import Example

# Pairs and triples of characters: words need no analyser, which Korean would ask for, and no spaces.
SIZES = (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A training example and its BM25 score; `share` is how much of the text stands in it."""

    example: Example
    score: float
    share: float


class NearestRecords:
    """An index of training examples. Raises MissingExtraError where `bm25s` is not installed.

    Lucene's BM25 with its usual k1 of 1.5 and b of 0.75: https://arxiv.org/abs/2407.03618 (2024).
    """

    def __init__(self, training: Sequence[Example]) -> None:
        try:
            import bm25s
        except ImportError as error:
            raise MissingExtraError(
                "Finding the nearest records needs the extra `evaluation` (bm25s is missing). "
                "Install it with: pip install 'finetune-runner[evaluation]'"
            ) from error
        self.training = training
        self.index: Any = bm25s.BM25(method="lucene")
        if training:
            self.index.index([_grams(_text(example)) for example in training], show_progress=False)

    def find(self, text: str, count: int) -> list[Near]:
        """The `count` nearest examples that share anything, the best first, of equals the earlier."""
        return self._nearest(text, count, lambda number: number)

    def find_records(self, text: str, count: int) -> list[Near]:
        """As `find`, of every record only the nearest of its examples."""
        return self._nearest(text, count, lambda number: self.training[number].place)

    def _nearest(self, text: str, count: int, what: Callable[[int], Hashable]) -> list[Near]:
        grams = _grams(text)
        if not self.training or not grams:
            return []
        scores = [float(score) for score in self.index.get_scores(grams)]
        best = sorted(range(len(scores)), key=lambda number: (-scores[number], number))
        near: dict[Hashable, int] = {}
        for number in best:
            if len(near) == count or scores[number] <= 0:
                break
            near.setdefault(what(number), number)
        return [self._near(number, scores[number], grams) for number in near.values()]

    def _near(self, number: int, score: float, grams: list[str]) -> Near:
        example = self.training[number]
        known = set(_grams(_text(example)))
        return Near(example=example, score=score, share=sum(gram in known for gram in grams) / len(grams))


def _text(example: Example) -> str:
    return "\n".join(message.content for message in example.messages)


def _grams(text: str) -> list[str]:
    flat = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return [flat[start : start + size] for size in SIZES for start in range(len(flat) - size + 1)]
