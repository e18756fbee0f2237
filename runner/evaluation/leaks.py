"""Finds questions that the model was as good as trained on."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.evaluation.items import Item
from runner.examples.read import Example
from runner.graders.tokens import tokenise
from runner.issues import Place

SHINGLE = 5
THRESHOLD = 0.8
# As for GPT-3: https://arxiv.org/abs/2005.14165 (2020), appendix C. In Korean these are syllables.
OVERLAP_TOKENS = 13
MAX_RECORDS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A question that is left out, the training record it nearly repeats, and how much they share."""

    identity: str
    place: Place
    training_place: Place
    share: float


def find_leaks(items: Sequence[Item], training: Iterable[Example]) -> list[Leak]:
    """The items of which a training example shares 80 % of the runs of five characters, or the whole prompt.

    Exact, unlike MinHash: two sets that are that alike meet in the rarest fifth of either, which alone is
    indexed. Chaudhuri, Ganti, Kaushik: A Primitive Operator for Similarity Joins (2006), section 4.
    """
    shingled = [_shingles(_text(item.prompt, item.reference)) for item in items]
    counts = Counter(shingle for shingles in shingled for shingle in shingles)
    index: dict[str, list[int]] = {}
    for number, shingles in enumerate(shingled):
        for shingle in _rarest(shingles, counts):
            index.setdefault(shingle, []).append(number)
    prompts: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        prompts.setdefault(_flat(_text(item.prompt)), []).append(number)
    found: dict[int, Leak] = {}
    for example in training:
        *prompt, answer = example.messages
        shingles = _shingles(_text(prompt, answer.content))
        near = dict.fromkeys(prompts.get(_flat(_text(prompt)), ()), 1.0)
        for number in {n for shingle in _rarest(shingles, counts) for n in index.get(shingle, ())}:
            near.setdefault(number, _jaccard(shingles, shingled[number]))
        for number, share in near.items():
            if share >= THRESHOLD and (number not in found or share > found[number].share):
                found[number] = _leak(items[number], example, share)
    return [found[number] for number in sorted(found)]


def overlap(items: Sequence[Item], training: Iterable[Example]) -> float | None:
    """The share of all runs of 13 tokens in the references that stand in a training answer; None if none."""
    runs = {run for item in items for run in _runs(item.reference)}
    if not runs:
        return None
    seen: set[tuple[str, ...]] = set()
    for example in training:
        seen |= runs & set(_runs(example.messages[-1].content))
    return len(seen) / len(runs)


def _leak(item: Item, example: Example, share: float) -> Leak:
    return Leak(identity=item.identity, place=item.place, training_place=example.place, share=share)


def _text(prompt: Iterable[tuple[str, str]], answer: str = "") -> str:
    return "\n".join([*(content for _, content in prompt), answer])


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _shingles(text: str) -> frozenset[str]:
    flat = _flat(text)
    return frozenset(flat[start : start + SHINGLE] for start in range(max(1, len(flat) - SHINGLE + 1)))


def _rarest(shingles: frozenset[str], counts: Counter[str]) -> list[str]:
    """What two sets that share THRESHOLD of all cannot both have without meeting."""
    length = len(shingles) - math.ceil(THRESHOLD * len(shingles)) + 1
    return sorted(shingles, key=lambda shingle: (counts[shingle], shingle))[:length]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _runs(text: str) -> list[tuple[str, ...]]:
    tokens = tokenise(text)
    return [
        tuple(tokens[start : start + OVERLAP_TOKENS]) for start in range(len(tokens) - OVERLAP_TOKENS + 1)
    ]
