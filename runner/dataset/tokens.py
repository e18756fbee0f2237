"""How many tokens an example has, and how far that number can be trusted."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from runner.examples.read import Message

# Measured on mixed Korean and English text with the o200k encoding: -3 % in total, 16 % off at p95.
ASCII_PER_TOKEN = 5.5
OTHER_PER_TOKEN = 1.8
ESTIMATE_MARGIN = 0.2
# The chat format's own tokens: three around every message and three that open the answer.
# https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken (2026-11)
TOKENS_PER_MESSAGE = 3
TOKENS_PER_EXAMPLE = 3


class TokenCounter(Protocol):
    """Counts the tokens of one conversation."""

    @property
    def margin(self) -> float:
        """The relative error to allow for; 0 for an exact count."""

    def count(self, messages: Iterable[Message]) -> int:
        """Tokens of a whole example, the chat format's own included."""


@dataclass(frozen=True, slots=True)
class EstimatedTokens:
    """An estimate from the number of ASCII and other characters; see ASCII_PER_TOKEN for its error."""

    margin: float = ESTIMATE_MARGIN

    def count(self, messages: Iterable[Message]) -> int:
        """Tokens of a whole example, the chat format's own included."""
        total = TOKENS_PER_EXAMPLE
        for message in messages:
            n_ascii = sum(map(str.isascii, message.content))
            n_other = len(message.content) - n_ascii
            total += TOKENS_PER_MESSAGE + 1 + math.ceil(n_ascii / ASCII_PER_TOKEN + n_other / OTHER_PER_TOKEN)
        return total
