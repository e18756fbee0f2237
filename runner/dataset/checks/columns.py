"""Digests of examples in columns: what rules about the whole dataset are told, in flat arrays."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from runner.dataset.checks.digest import Digest
from runner.dataset.checks.hits import Hit, Origin
from runner.dataset.split import Side

# Nobody is told of more examples of a kind than that.
MAX_NAMED = 1_000
_IS_VALIDATION, _IS_PAIR = 1, 2


class Examined(NamedTuple):
    """What one example shows by itself, and the digest that rules about the dataset are fed with."""

    hits: tuple[Hit, ...]
    digest: Digest


class Rare(NamedTuple):
    """What few examples have, each with its number."""

    hits: list[tuple[int, tuple[Hit, ...]]]
    ignored: list[tuple[int, tuple[int, ...]]]
    mixed_scripts: list[tuple[int, str, str]]
    signatures: list[tuple[int, tuple[int, ...]]]


@dataclass(slots=True)
class Columns:
    """Some examples of one file in their order.

    A column has one number for each: its row after `rows_before`, the first 64 bits of its hashed identity,
    its question and answer as `Digest` has them, the latter above two bits (`_IS_PAIR`, `_IS_VALIDATION`),
    and the characters of its answer. `edges` are the sentences that `Digest` says. `n_scripts` counts those
    whose question and answer have a script, `n_images` those of the training file with images.
    """

    file: str = ""
    rows_before: int = 0
    rows: "array[int]" = field(default_factory=partial(array, "I"))
    identities: "array[int]" = field(default_factory=partial(array, "Q"))
    questions: "array[int]" = field(default_factory=partial(array, "Q"))
    answers: "array[int]" = field(default_factory=partial(array, "Q"))
    lengths: "array[int]" = field(default_factory=partial(array, "I"))
    edges: list[Sequence[str]] = field(default_factory=list)
    rare: Rare = field(default_factory=lambda: Rare([], [], [], []))
    n_scripts: int = 0
    n_mixed_scripts: int = 0
    n_images: int = 0

    @property
    def numbers(self) -> "tuple[array[int], ...]":
        """The columns of numbers."""
        return self.rows, self.identities, self.questions, self.answers, self.lengths

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: int, identity: int, side: Side, examined: Examined, ignored: tuple[int, ...]) -> None:
        """Append an example."""
        number = len(self.rows)
        hits, digest = examined
        question, answer, length, asked_in, answered_in, edges, has_images, signature, is_pair = digest
        is_validation = side == "validation"
        self.rows.append(row)
        self.identities.append(identity)
        self.questions.append(question)
        self.answers.append(answer << 2 | is_pair << 1 | is_validation)
        self.lengths.append(length)
        self.edges.append(edges)
        if asked_in and answered_in:
            self.n_scripts += 1
            if asked_in != answered_in:
                self.n_mixed_scripts += 1
                if len(self.rare.mixed_scripts) < MAX_NAMED:
                    self.rare.mixed_scripts.append((number, asked_in, answered_in))
        if hits:
            self.rare.hits.append((number, hits))
        if ignored:
            self.rare.ignored.append((number, ignored))
        if signature:
            self.rare.signatures.append((number, signature))
        self.n_images += has_images and not is_validation

    def origin(self, number: int) -> Origin:
        """Which example has a number."""
        ignored = next((found for place, found in self.rare.ignored if place == number), ())
        return Origin(
            f"{self.identities[number]:016x}", self.file, self.rows_before + self.rows[number], ignored
        )

    def is_pair(self, number: int) -> bool:
        """Whether it has a better and a worse answer."""
        return bool(self.answers[number] & _IS_PAIR)

    def side(self, number: int) -> Side:
        """On which side of the split it is."""
        return "validation" if self.answers[number] & _IS_VALIDATION else "training"
