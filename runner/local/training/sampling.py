"""Chooses the next token of an answer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from runner.local.training.grammar import Grammar


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose tokens, under the chat API's names; temperature 0 takes the likeliest one.

    `n` answers are drawn one after another from one seed. `top_logprobs` None reports no probabilities, a
    number reports those of the chosen token and of so many of the likeliest. `logit_bias` is by token id.
    """

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    top_logprobs: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenToken:
    """A token with its log probability; `top` are the likeliest ones with theirs, nats."""

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one answer; `generator` is shared by the answers of one request."""

    def __init__(
        self, sampling: Sampling, generator: torch.Generator, grammar: Grammar | None = None
    ) -> None:
        self._sampling = sampling
        self._generator = generator
        self._grammar = grammar
        self._counts: Counter[int] = Counter()

    def choose(self, logits: torch.Tensor) -> ChosenToken:
        """Pick the next token from logits of shape (V,).

        Probabilities are reported after bias and penalties, before temperature, top_p and grammar.
        """
        logits = self._adjusted(logits)
        reported = logits
        if self._grammar is not None:
            logits = self._grammar.masked(logits)
        token_id = int(_draw(logits, self._sampling, self._generator))
        self._counts[token_id] += 1
        if self._grammar is not None:
            self._grammar.take(token_id)
        if self._sampling.top_logprobs is None:
            return ChosenToken(id=token_id)
        return _with_probabilities(token_id, reported, self._sampling.top_logprobs)

    def _adjusted(self, logits: torch.Tensor) -> torch.Tensor:
        """Apply bias and penalties.

        A token that was chosen c times loses c times the frequency penalty, and the presence penalty once.
        """
        sampling = self._sampling
        penalised = self._counts if sampling.presence_penalty or sampling.frequency_penalty else {}
        if not penalised and not sampling.logit_bias:
            return logits
        logits = logits.clone()
        for token_id, bias in sampling.logit_bias.items():
            if 0 <= token_id < len(logits):
                logits[token_id] += bias
        for token_id, count in penalised.items():
            logits[token_id] -= sampling.presence_penalty + count * sampling.frequency_penalty
        return logits


def _draw(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> Any:
    if sampling.temperature == 0:
        return logits.argmax()
    # Shifted first: dividing by a tiny temperature would otherwise overflow.
    probabilities = torch.softmax((logits - logits.max()) / sampling.temperature, dim=-1)
    if sampling.top_p < 1:
        sorted_probabilities, order = probabilities.sort(descending=True, stable=True)
        # Drop a token when those before it already hold top_p of the mass, but never the likeliest.
        is_dropped = sorted_probabilities.cumsum(dim=-1) - sorted_probabilities >= sampling.top_p
        is_dropped[0] = False
        probabilities[order[is_dropped]] = 0
    return torch.multinomial(probabilities, 1, generator=generator)


def _with_probabilities(token_id: int, logits: torch.Tensor, n_top: int) -> ChosenToken:
    logprobs = torch.log_softmax(logits, dim=-1)  # (V,)
    values, ids = logprobs.topk(min(n_top, len(logprobs)))
    top = tuple(zip(ids.tolist(), values.tolist(), strict=True))
    return ChosenToken(id=token_id, logprob=float(logprobs[token_id]), top=top)
