"""How many tokens an example has, and how far that number can be trusted."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from runner.examples.message_lists import Turn

# Against o200k_base on 13,000 Korean, English and Chinese texts of 12 tokens and more (2026-11): 95 % of them
# are within 30 %, whole files between -19 % and +12 %. cl100k_base has up to twice as many tokens of Korean.
ASCII_PER_TOKEN = 4.0
OTHER_PER_TOKEN = 1.3
ESTIMATE_MARGIN = 0.3
ESTIMATED = f"estimated, ±{ESTIMATE_MARGIN:.0%}".replace("%", " %")
# tiny-1's small vocabulary makes 1.3 times as many tokens of Korean guides as the estimate says, and up to
# four times as many of other languages.
SMALL_VOCABULARY_MARGIN = 0.75
# The chat format's own tokens: three around every message and three that open the answer.
# https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken (2026-11)
TOKENS_PER_MESSAGE = 3
TOKENS_PER_EXAMPLE = 3


class TokenCounter(Protocol):
    """Counts the tokens of one conversation."""

    @property
    def margin(self) -> float:
        """The relative error to allow for; 0 for an exact count."""

    def count(self, messages: "Iterable[Turn]") -> int:
        """Tokens of a whole example, the chat format's own included."""


@dataclass(frozen=True, slots=True)
class EstimatedTokens:
    """An estimate from the number of ASCII and other characters; see ASCII_PER_TOKEN for its error."""

    margin: float = ESTIMATE_MARGIN

    def count(self, messages: "Iterable[Turn]") -> int:
        """Tokens of a whole example, the chat format's own included."""
        total = TOKENS_PER_EXAMPLE
        for _, content in messages:
            total += TOKENS_PER_MESSAGE + 1 + estimated_tokens(content)
        return total


def estimated_tokens(text: str) -> int:
    """An estimate for a text alone; see ASCII_PER_TOKEN for its error."""
    if text.isascii():
        return math.ceil(len(text) / ASCII_PER_TOKEN)
    n_ascii = len(text.encode("ascii", "ignore"))
    return math.ceil(n_ascii / ASCII_PER_TOKEN + (len(text) - n_ascii) / OTHER_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class CountedTokens:
    """An exact count by a tokenizer file of this package; `chat_format` writes one message for it."""

    tokenizer: str
    chat_format: str
    margin: float = 0.0

    def count(self, messages: "Iterable[Turn]") -> int:
        """Tokens of a whole example, the chat format's own included."""
        text = "".join(self.chat_format.format(role=role, content=content) for role, content in messages)
        return len(_load_tokenizer(self.tokenizer).encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True, slots=True)
class SparedTokens:
    """Counts exactly only what may be longer than `limit` tokens, and estimates everything else.

    A byte-level tokenizer makes no more tokens than a text has bytes, so that most examples are certainly
    short enough without a count; the tokens of a whole file are counted after the build, for who needs them.
    """

    exact: CountedTokens
    limit: int
    margin: float = 0.0

    def count(self, messages: "Iterable[Turn]") -> int:
        """Tokens of a whole example; an estimate where they cannot be more than the limit."""
        turns = list(messages)
        # What stands around a message is a few tokens more.
        at_most = sum(len(role) + len(text.encode("utf-8", "replace")) + 16 for role, text in turns)
        if at_most <= self.limit:
            return EstimatedTokens().count(turns)
        return self.exact.count(turns)


def spared(counter: TokenCounter, limit: int | None) -> TokenCounter:
    """The counter for a build, which needs exact tokens only of examples that may be too long."""
    if not isinstance(counter, CountedTokens):
        return counter
    return EstimatedTokens() if limit is None else SparedTokens(counter, limit)


def counter_spec(counter: TokenCounter) -> dict[str, Any]:
    """What `make_counter` needs to make the same counter in another process."""
    if isinstance(counter, SparedTokens):
        return {"counted": asdict(counter.exact), "limit": counter.limit}
    if isinstance(counter, CountedTokens):
        return {"counted": asdict(counter)}
    return {"estimated": {"margin": counter.margin}}


def make_counter(spec: dict[str, Any]) -> TokenCounter:
    """The counter of a spec, ready to count."""
    if "estimated" in spec:
        return EstimatedTokens(**spec["estimated"])
    counter = CountedTokens(**spec["counted"])
    _load_tokenizer(counter.tokenizer)
    return SparedTokens(counter, spec["limit"]) if "limit" in spec else counter


def can_count() -> bool:
    """Whether the library that reads tokenizer files is installed; it comes with the extra `local`."""
    return find_spec("tokenizers") is not None


@cache
def _load_tokenizer(name: str) -> Any:
    from importlib import resources

    from tokenizers import Tokenizer

    return Tokenizer.from_str((resources.files("runner") / name).read_text(encoding="utf-8"))
