"""The exact counters: what names each of them, and how it weighs many conversations at once."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from runner.dataset.tokens import EstimatedTokens, estimated_tokens
from runner.tokens.encodings import RANKS

if TYPE_CHECKING:
    from runner.examples.message_lists import Turn

# What OpenAI's chat format adds: three tokens around every message beside its role, three that open the
# answer. https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken (2026-11)
TOKENS_PER_MESSAGE = 3
TOKENS_PER_CONVERSATION = 3
# A text that an encoder cannot take whole is counted in pieces of so many characters.
PIECE_CHARACTERS = 10_000


class Weight(NamedTuple):
    """Tokens of a conversation, and of the text of each of its turns; not exact for odd text."""

    n_tokens: int
    by_turn: tuple[int, ...]
    is_exact: bool = True


class Weigher(Protocol):
    """A counter that is loaded and ready."""

    def weigh(self, conversations: "Sequence[Sequence[Turn]]") -> list[Weight]:
        """The weights of conversations, in order."""


class _Exact:
    """A counter that is never wrong."""

    __slots__ = ()

    @property
    def margin(self) -> float:
        """The relative error to allow for."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICounter(_Exact):
    """An encoding of OpenAI's with its chat format; `folder` has the ranks as tiktoken's cache does."""

    encoding: str
    folder: str

    @property
    def identity(self) -> str:
        """What the lockfile calls the counter; the number is that of the chat format here."""
        return f"{self.encoding} chat-1"

    def load(self) -> Weigher:
        """Make it ready. Raises OSError where the ranks are gone."""
        return _OpenAIWeigher(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedCounter(_Exact):
    """A tokenizer file of this package; `chat_format` writes one message for it, between special tokens."""

    tokenizer: str
    chat_format: str
    sha256: str

    @property
    def identity(self) -> str:
        """What the lockfile calls the counter."""
        return f"tokenizer {self.sha256[:16]}"

    def load(self) -> Weigher:
        """Make it ready."""
        return _PackagedWeigher(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCounter(_Exact):
    """The tokenizer and chat template in a model's folder; `sha256` tells both."""

    folder: str
    sha256: str

    @property
    def identity(self) -> str:
        """What the lockfile calls the counter."""
        return f"tokenizer {self.sha256[:16]}"

    def load(self) -> Weigher:
        """Make it ready. Raises OSError, ValueError where the files cannot be used."""
        return _ModelWeigher(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateCounter:
    """No count at all: an estimate from the number of ASCII and other characters, within `margin`."""

    margin: float

    @property
    def identity(self) -> str:
        """What keeps these numbers apart from others; the number is that of the formula."""
        return "estimate-2"

    def load(self) -> Weigher:
        """Make it ready."""
        return _Estimator()


Counter = OpenAICounter | PackagedCounter | ModelCounter | EstimateCounter
_KINDS: dict[str, Callable[..., Counter]] = {
    kind.__name__: kind for kind in (OpenAICounter, PackagedCounter, ModelCounter, EstimateCounter)
}


def counter_value(counter: Counter) -> dict[str, Any]:
    """A counter as JSON data, for another process."""
    return {"kind": type(counter).__name__, **asdict(counter)}


def counter_from(value: dict[str, Any]) -> Counter:
    """The counter of `counter_value`."""
    fields = dict(value)
    return _KINDS[fields.pop("kind")](**fields)


class _OpenAIWeigher:
    def __init__(self, counter: OpenAICounter) -> None:
        ranks = RANKS[counter.encoding]
        if not ranks.are((Path(counter.folder) / ranks.key).read_bytes()):
            raise OSError(f"the ranks of {counter.encoding} have another hash")
        # tiktoken reads its cache, checks the hash as well, and has nothing to download with.
        os.environ["TIKTOKEN_CACHE_DIR"] = counter.folder
        sys.modules["requests"] = None  # type: ignore[assignment]
        import tiktoken

        self._encode = tiktoken.get_encoding(counter.encoding).encode_ordinary
        self._role = lru_cache(maxsize=64)(lambda role: self._count(role)[0])

    def weigh(self, conversations: "Sequence[Sequence[Turn]]") -> list[Weight]:
        counts = {text: self._count(text) for text in _texts(conversations)}
        return [self._weight(turns, counts) for turns in conversations]

    def _weight(self, turns: "Sequence[Turn]", counts: dict[str, tuple[int, bool]]) -> Weight:
        found = [counts[text] for _, text in turns]
        by_turn = tuple(count for count, _ in found)
        heads = sum(TOKENS_PER_MESSAGE + self._role(role) for role, _ in turns)
        n_tokens = sum(by_turn) + heads + TOKENS_PER_CONVERSATION
        return Weight(n_tokens, by_turn, all(is_exact for _, is_exact in found))

    def _count(self, text: str) -> tuple[int, bool]:
        try:
            return len(self._encode(text)), True
        except BaseException as error:
            # A million spaces in a row overflow the stack of its regular expressions.
            if type(error).__name__ != "PanicException":
                raise
        pieces = range(0, len(text), PIECE_CHARACTERS)
        return sum(len(self._encode(text[start : start + PIECE_CHARACTERS])) for start in pieces), False


class _PackagedWeigher:
    def __init__(self, counter: PackagedCounter) -> None:
        from importlib import resources

        from tokenizers import Tokenizer

        content = (resources.files("runner") / counter.tokenizer).read_text(encoding="utf-8")
        self._count = _Batches(Tokenizer.from_str(content))
        self._head = lru_cache(maxsize=64)(
            lambda role: self._count([counter.chat_format.format(role=role, content="")])[0]
        )

    def weigh(self, conversations: "Sequence[Sequence[Turn]]") -> list[Weight]:
        # The special tokens around a message's text keep it apart from all other text.
        texts = list(_texts(conversations))
        counts = dict(zip(texts, self._count(texts), strict=True))
        weights = []
        for turns in conversations:
            by_turn = tuple(counts[text] for _, text in turns)
            weights.append(Weight(sum(by_turn) + sum(self._head(role) for role, _ in turns), by_turn))
        return weights


class _ModelWeigher:
    def __init__(self, counter: ModelCounter) -> None:
        from tokenizers import Tokenizer

        from runner.tokens.chat_template import ChatTemplate

        folder = Path(counter.folder)
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._count = _Batches(tokenizer)
        self._template = ChatTemplate.of_folder(folder)

    def weigh(self, conversations: "Sequence[Sequence[Turn]]") -> list[Weight]:
        whole = self._count([self._template.render(turns) for turns in conversations])
        texts = list(_texts(conversations))
        counts = dict(zip(texts, self._count(texts), strict=True))
        return [
            Weight(n_tokens, tuple(counts[text] for _, text in turns))
            for n_tokens, turns in zip(whole, conversations, strict=True)
        ]


class _Estimator:
    def weigh(self, conversations: "Sequence[Sequence[Turn]]") -> list[Weight]:
        estimate = EstimatedTokens()
        return [
            Weight(estimate.count(turns), tuple(estimated_tokens(text) for _, text in turns))
            for turns in conversations
        ]


class _Batches:
    """Token counts of texts, all at once."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, texts: list[str]) -> list[int]:
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [len(encoding) for encoding in encoded]


def _texts(conversations: "Iterable[Iterable[Turn]]") -> dict[str, None]:
    """Every text once: the system's message is often the same."""
    return dict.fromkeys(text for turns in conversations for _, text in turns)
