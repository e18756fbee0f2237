"""Runs of lines of a dataset file, cut where the content says so: an edit leaves all others as they were."""

import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.tokens.counters import Weigher

# A line whose checksum ends in so many zero bits ends its block, which has about a thousand lines then.
_CUT_MASK = (1 << 10) - 1
MAX_LINES = 8_192
MAX_BYTES = 4 << 20
# The keys of a message whose tokens are known.
_KNOWN_KEYS = {"role", "content", "weight"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Tokens of some lines: all that is trained on, and those of the longest line.

    `n_inexact` lines have more than text: tools, calls or images, whose tokens are no more than estimated.
    """

    n_tokens: int
    n_inexact: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Tokens of some lines as in `Totals`; also by role, and the length of each line's longest answer."""

    n_tokens: int
    n_inexact: int
    roles: Mapping[str, int]
    lengths: "array[int]" = field(default_factory=lambda: array("I"))

    @property
    def totals(self) -> Totals:
        """What most want to know."""
        longest = max(self.lengths, default=0)
        return Totals(n_tokens=self.n_tokens, n_inexact=self.n_inexact, longest=longest)


def blocks_of(path: Path) -> Iterator[bytes]:
    """The blocks of a file, in order."""
    lines: list[bytes] = []
    n_bytes = 0
    with path.open("rb") as stream:
        for line in stream:
            lines.append(line)
            n_bytes += len(line)
            if not zlib.crc32(line) & _CUT_MASK or len(lines) >= MAX_LINES or n_bytes >= MAX_BYTES:
                yield b"".join(lines)
                lines, n_bytes = [], 0
    if lines:
        yield b"".join(lines)


def weigh_block(block: bytes, weigher: "Weigher") -> Weighed:
    """Weigh the lines of a block. A line with two answers is trained on its prompt twice."""
    from runner.examples.content import counted_turns

    lines = [json.loads(line) for line in block.split(b"\n") if line]
    conversations = [list(counted_turns(line)) for line in lines]
    weights = iter(weigher.weigh([turns for each in conversations for turns in each]))
    roles: Counter[str] = Counter()
    lengths, n_tokens, n_inexact = array("I"), 0, 0
    for line, each in zip(lines, conversations, strict=True):
        found = [next(weights) for _ in each]
        for turns, weight in zip(each, found, strict=True):
            for (role, _), count in zip(turns, weight.by_turn, strict=True):
                roles[role] += count
        n_tokens += sum(weight.n_tokens for weight in found)
        n_inexact += not (_is_plain(line) and all(weight.is_exact for weight in found))
        lengths.append(max(weight.n_tokens for weight in found))
    return Weighed(n_tokens=n_tokens, n_inexact=n_inexact, roles=dict(roles), lengths=lengths)


def joined(parts: Iterator[Weighed]) -> Weighed:
    """The weights of blocks as those of the whole file."""
    roles: Counter[str] = Counter()
    lengths, n_tokens, n_inexact = array("I"), 0, 0
    for part in parts:
        roles.update(part.roles)
        lengths.extend(part.lengths)
        n_tokens += part.n_tokens
        n_inexact += part.n_inexact
    return Weighed(n_tokens=n_tokens, n_inexact=n_inexact, roles=dict(roles), lengths=lengths)


def _is_plain(line: Mapping[str, Any]) -> bool:
    if line.get("tools") or line.get("input", {}).get("tools"):
        return False
    messages = [*line.get("messages", ()), *line.get("input", {}).get("messages", ())]
    messages += [*line.get("preferred_output", ()), *line.get("non_preferred_output", ())]
    return all(
        message.keys() <= _KNOWN_KEYS and isinstance(message.get("content"), str) for message in messages
    )
