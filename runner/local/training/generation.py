"""Generates an answer token by token with a key-value cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from runner.local.training.models import LoadedModel
from runner.local.training.text_stream import StopFilter, TextStream

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose tokens, under the chat API's names; temperature 0 takes the likeliest one."""

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How an answer ended; the token that ends a turn is not counted."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class ContextLengthError(ValueError):
    """The prompt leaves no room for an answer."""


def generate(loaded: LoadedModel, prompt: Sequence[int], sampling: Sampling) -> Iterator[str | Finish]:
    """Answer a prompt: pieces of text as they become complete, then one Finish.

    At temperature 0 the tokens are those of `model.generate(do_sample=False)`. Raises ContextLengthError.
    """
    room = loaded.context_length - len(prompt)
    if room < 1:
        limit = f"This model's maximum context length is {loaded.context_length} tokens."
        raise ContextLengthError(f"{limit} However, your messages resulted in {len(prompt)} tokens.")
    max_tokens = room if sampling.max_tokens is None else min(sampling.max_tokens, room)
    ends = _end_tokens(loaded)
    stream, stops = TextStream(loaded.tokenizer), StopFilter(sampling.stop)
    n_tokens, reason = 0, "length"
    for token_id in _tokens(loaded.model, prompt, max_tokens, sampling):
        if token_id in ends:
            reason = "stop"
            break
        n_tokens += 1
        yield from _pieces(stops.push(stream.push(token_id)))
        if stops.has_stopped:
            break
    if not stops.has_stopped:
        yield from _pieces(stops.push(stream.close(is_cut=reason == "length")) + stops.close())
    yield Finish(
        reason="stop" if stops.has_stopped or reason == "stop" else "length",
        prompt_tokens=len(prompt),
        completion_tokens=n_tokens,
    )


def _pieces(text: str) -> Iterator[str]:
    if text:
        yield text


def _end_tokens(loaded: LoadedModel) -> frozenset[int]:
    """Collect the tokens that end a turn; a generation config holds one, several or none."""
    configured = loaded.model.generation_config.eos_token_id
    several = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*several, loaded.tokenizer.eos_token_id] if token is not None)


@torch.inference_mode()
def _tokens(model: Any, prompt: Sequence[int], max_tokens: int, sampling: Sampling) -> Iterator[int]:
    generator = torch.Generator(device=model.device)
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)
    input_ids = torch.tensor([prompt], device=model.device)  # (1, T), then (1, 1)
    cache = None
    for _ in range(max_tokens):
        output = model(input_ids=input_ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = output.past_key_values
        token = _choose(output.logits[0, -1].float(), sampling, generator)  # from (V,)
        yield int(token)
        input_ids = token.view(1, 1)


def _choose(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> torch.Tensor:
    """Pick the next token from logits of shape (V,)."""
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
