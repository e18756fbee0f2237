"""Generates an answer token by token with a key-value cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from runner.local.training.grammar import Grammar
from runner.local.training.models import LoadedModel
from runner.local.training.sampling import ChosenToken, Sampler, Sampling
from runner.local.training.text_stream import StopFilter, TextStream

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text that became complete, with the tokens behind it where their probabilities were asked for."""

    text: str
    tokens: tuple[ChosenToken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How an answer ended; the token that ends a turn is not counted."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class ContextLengthError(ValueError):
    """The prompt leaves no room for an answer."""


def make_generator(loaded: LoadedModel, seed: int | None) -> torch.Generator:
    """Make the source of chance of one request."""
    generator = torch.Generator(device=loaded.device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def generate(
    loaded: LoadedModel,
    prompt: Sequence[int],
    sampling: Sampling,
    generator: torch.Generator | None = None,
    grammar: Grammar | None = None,
) -> Iterator[Piece | Finish]:
    """Answer a prompt once: pieces of text as they become complete, then one Finish.

    At temperature 0 the tokens are those of `model.generate(do_sample=False)`. Without a generator one is
    made from the seed. Raises ContextLengthError.
    """
    generator = generator or make_generator(loaded, sampling.seed)
    room = loaded.context_length - len(prompt)
    if room < 1:
        limit = f"This model's maximum context length is {loaded.context_length} tokens."
        raise ContextLengthError(f"{limit} However, your messages resulted in {len(prompt)} tokens.")
    max_tokens = room if sampling.max_tokens is None else min(sampling.max_tokens, room)
    ends = _end_tokens(loaded)
    stream, stops = TextStream(loaded.tokenizer), StopFilter(sampling.stop)
    waiting: list[ChosenToken] = []
    n_tokens, reason = 0, "length"
    for chosen in _tokens(loaded.model, prompt, max_tokens, Sampler(sampling, generator, grammar)):
        if chosen.id in ends:
            reason = "stop"
            break
        n_tokens += 1
        waiting.append(chosen)
        text = stops.push(stream.push(chosen.id))
        if text:
            yield _piece(text, waiting, sampling)
        if stops.has_stopped:
            break
        if grammar is not None and grammar.is_complete:
            reason = "stop"
            break
    if not stops.has_stopped:
        rest = stops.push(stream.close(is_cut=reason == "length")) + stops.close()
        if rest or (waiting and sampling.top_logprobs is not None):
            yield _piece(rest, waiting, sampling)
    yield Finish(
        reason="stop" if stops.has_stopped or reason == "stop" else "length",
        prompt_tokens=len(prompt),
        completion_tokens=n_tokens,
    )


def answer_text(loaded: LoadedModel, prompt: Sequence[int], sampling: Sampling) -> str:
    """Answer a prompt once, in one piece. Raises ContextLengthError."""
    pieces = generate(loaded, prompt, sampling)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece))


def _piece(text: str, waiting: list[ChosenToken], sampling: Sampling) -> Piece:
    tokens = tuple(waiting) if sampling.top_logprobs is not None else ()
    waiting.clear()
    return Piece(text=text, tokens=tokens)


def _end_tokens(loaded: LoadedModel) -> frozenset[int]:
    """Collect the tokens that end a turn; a generation config holds one, several or none."""
    configured = loaded.model.generation_config.eos_token_id
    several = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*several, loaded.tokenizer.eos_token_id] if token is not None)


@torch.inference_mode()
def _tokens(model: Any, prompt: Sequence[int], max_tokens: int, sampler: Sampler) -> Iterator[ChosenToken]:
    input_ids = torch.tensor([prompt], device=model.device)  # (1, T), then (1, 1)
    cache = None
    for _ in range(max_tokens):
        output = model(input_ids=input_ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = output.past_key_values
        chosen = sampler.choose(output.logits[0, -1].float())  # from (V,)
        yield chosen
        input_ids = torch.tensor([[chosen.id]], device=model.device)
