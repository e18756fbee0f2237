"""Finds questions that the model was as good as trained on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from runner.dataset.near_texts import THRESHOLD, NearTexts, common_runs, flat, said
from runner.evaluation.items import Item
from runner.examples.read import Example
from runner.graders.tokens import tokenise
from runner.issues import Place

# As for GPT-3: https://arxiv.org/abs/2005.14165 (2020), appendix C. In Korean these are syllables.
OVERLAP_TOKENS = 13
_SAMPLE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A question that is left out, the training record it nearly repeats, and how much they share."""

    identity: str
    place: Place
    training_place: Place
    share: float


class Examples(Protocol):
    """Examples that can be gone through more than once: a list, or what reads them again each time."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Example]:
        """Go through them from the first."""


def find_leaks(items: Sequence[Item], training: Examples) -> list[Leak]:
    """The items of which a training example shares 80 % of the runs of four characters, or the whole prompt.

    Instructions, and words that most of the training examples share, are not compared. The items are held in
    memory, and of the training examples no more than 1,000 at once.
    """
    first = list(islice(training, _SAMPLE))
    common = common_runs(said(example.messages) for example in first)
    texts = NearTexts((said(_turns(item)) for item in items), THRESHOLD, common)
    constant = _constant_prompts(first)
    prompts: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        prompt = _flat(item.prompt)
        if prompt not in constant:
            prompts.setdefault(prompt, []).append(number)
    found: dict[int, Leak] = {}
    for example in training:
        near = dict.fromkeys(prompts.get(_flat(example.messages[:-1]), ()), 1.0)
        for number, share in texts.near(said(example.messages)):
            near.setdefault(number, share)
        for number, share in near.items():
            if number not in found or share > found[number].share:
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


def _turns(item: Item) -> list[tuple[str, str]]:
    return [*item.prompt, ("assistant", item.reference)]


def _flat(prompt: Iterable[tuple[str, str]]) -> str:
    return flat("\n".join(content for _, content in prompt))


def _constant_prompts(first: Sequence[Example]) -> set[str]:
    """What more than half of the first training examples ask: it tells nothing of what was learnt."""
    counts = Counter(_flat(example.messages[:-1]) for example in first)
    least = max(3, len(first) // 2 + 1)
    return {prompt for prompt, count in counts.items() if count >= least}


def _runs(text: str) -> list[tuple[str, ...]]:
    tokens = tokenise(text)
    return [
        tuple(tokens[start : start + OVERLAP_TOKENS]) for start in range(len(tokens) - OVERLAP_TOKENS + 1)
    ]
