"""How many tokens an example has, and how far that number can be trusted."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Any, Protocol

from runner.examples.message_lists import Turn

# Measured on mixed Korean and English text with the o200k encoding: -3 % in total, 16 % off at p95.
ASCII_PER_TOKEN = 5.5
OTHER_PER_TOKEN = 1.8
ESTIMATE_MARGIN = 0.2
# tiny-1's small vocabulary makes 1.7 times as many tokens of the example guide as the estimate says.
SMALL_VOCABULARY_MARGIN = 0.5
# The chat format's own tokens: three around every message and three that open the answer.
# https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken (2026-11)
TOKENS_PER_MESSAGE = 3
TOKENS_PER_EXAMPLE = 3


class TokenCounter(Protocol):
    """Counts the tokens of one conversation."""

    @property
    def margin(self) -> float:
        """The relative error to allow for; 0 for an exact count."""

    def count(self, messages: Iterable[Turn]) -> int:
        """Tokens of a whole example, the chat format's own included."""


@dataclass(frozen=True, slots=True)
class EstimatedTokens:
    """An estimate from the number of ASCII and other characters; see ASCII_PER_TOKEN for its error."""

    margin: float = ESTIMATE_MARGIN

    def count(self, messages: Iterable[Turn]) -> int:
        """Tokens of a whole example, the chat format's own included."""
        total = TOKENS_PER_EXAMPLE
        for _, content in messages:
            n_ascii = len(content) if content.isascii() else len(content.encode("ascii", "ignore"))
            n_other = len(content) - n_ascii
            total += TOKENS_PER_MESSAGE + 1 + math.ceil(n_ascii / ASCII_PER_TOKEN + n_other / OTHER_PER_TOKEN)
        return total


@dataclass(frozen=True, slots=True)
class CountedTokens:
    """An exact count by a tokenizer file of this package; `chat_format` writes one message for it."""

    tokenizer: str
    chat_format: str
    margin: float = 0.0

    def count(self, messages: Iterable[Turn]) -> int:
        """Tokens of a whole example, the chat format's own included."""
        text = "".join(self.chat_format.format(role=role, content=content) for role, content in messages)
        return len(_load_tokenizer(self.tokenizer).encode(text, add_special_tokens=False).ids)


def counter_spec(counter: TokenCounter) -> dict[str, Any]:
    """What `make_counter` needs to make the same counter in another process."""
    if isinstance(counter, CountedTokens):
        return {"counted": asdict(counter)}
    return {"estimated": {"margin": counter.margin}}


def make_counter(spec: dict[str, Any]) -> TokenCounter:
    """The counter of a spec, ready to count."""
    if "estimated" in spec:
        return EstimatedTokens(**spec["estimated"])
    counter = CountedTokens(**spec["counted"])
    _load_tokenizer(counter.tokenizer)
    return counter


def can_count() -> bool:
    """Whether the library that reads tokenizer files is installed; it comes with the extra `local`."""
    return find_spec("tokenizers") is not None


@cache
def _load_tokenizer(name: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str((resources.files("runner") / name).read_text(encoding="utf-8"))
