"""Two texts as one, with what went and what came: by words, and by syllables where a script has no spaces."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A Korean word carries its particles, so a change of one syllable is shown as one: Hangul, kana and Chinese
# characters stand alone, with what combines with them; Hangul in decomposed form is taken by syllables too.
_ALONE = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_COMBINING = "[\u0300-\u036f\u3099\u309a\ufe0e\ufe0f\u200d]*"
_UNIT = re.compile(
    rf"[\u1100-\u115f]+[\u1160-\u11a7]*[\u11a8-\u11ff]*|(?:[^\W{_ALONE}]{_COMBINING})+|\s+|.{_COMBINING}",
    re.DOTALL,
)
# The comparison takes time by the product of both lengths.
_MAX_COMPARED = 4_000_000
# What two changes have in common by chance; to leave it standing between them would read worse.
_CHANCE_CHARACTERS = 1


Kind = Literal["same", "removed", "added"]
KINDS: tuple[Kind, ...] = ("same", "removed", "added")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both have, or that only one has."""

    kind: Kind
    text: str


def inline_diff(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces that make `before` without what was added, and `after` without what was removed."""
    old, new = _UNIT.findall(before), _UNIT.findall(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle = _compared(old[start : len(old) - end], new[start : len(new) - end])
    pieces = [Piece("same", "".join(old[:start])), *middle, Piece("same", "".join(old[len(old) - end :]))]
    return tuple(_joined(pieces))


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    if len(old) * len(new) > _MAX_COMPARED:
        yield from (Piece("removed", "".join(old)), Piece("added", "".join(new)))
        return
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = "".join(old[i1:i2]), "".join(new[j1:j2])
        by_chance = len(removed.strip()) <= _CHANCE_CHARACTERS and i1 > 0 and i2 < len(old)
        if tag == "equal" and not by_chance:
            yield Piece("same", removed)
        else:
            yield from (Piece("removed", removed), Piece("added", added))


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """What was removed, then what was added, between what stayed; no piece is empty."""
    texts = {"same": "", "removed": "", "added": ""}
    for piece in pieces:
        if piece.text and (piece.kind == "same") != bool(texts["same"]):
            yield from _emptied(texts)
        texts[piece.kind] += piece.text
    yield from _emptied(texts)


def _emptied(texts: dict[str, str]) -> Iterator[Piece]:
    for kind in KINDS:
        if texts[kind]:
            yield Piece(kind, texts[kind])
        texts[kind] = ""
