"""Names tokens as the chat API's log probabilities do: as text and as bytes."""

from functools import lru_cache
from typing import Any

from transformers.convert_slow_tokenizer import bytes_to_unicode

from runner.local.training.sampling import ChosenToken
from runner.local.training.text_stream import REPLACEMENT

# What the hosted service reports for a token that is all but impossible.
IMPOSSIBLE = -9999.0


def token_logprob(tokenizer: Any, chosen: ChosenToken) -> dict[str, Any]:
    """Describe one token of an answer with the likeliest ones in its place."""
    top = [_named(tokenizer, token_id, logprob) for token_id, logprob in chosen.top]
    return {**_named(tokenizer, chosen.id, chosen.logprob or 0.0), "top_logprobs": top}


def _named(tokenizer: Any, token_id: int, logprob: float) -> dict[str, Any]:
    raw = token_bytes(tokenizer, token_id)
    text = tokenizer.decode([token_id]) if raw is None else raw.decode("utf-8", "replace")
    return {"token": text, "logprob": max(logprob, IMPOSSIBLE), "bytes": None if raw is None else list(raw)}


def token_bytes(tokenizer: Any, token_id: int) -> bytes | None:
    """The bytes that a token stands for; None where the tokenizer does not tell.

    A character may be spread over several tokens, which then are no text by themselves.
    """
    piece = tokenizer.convert_ids_to_tokens(token_id)
    if piece is None:
        return None
    if piece in tokenizer.added_tokens_encoder:
        return str(piece).encode()
    if "ByteLevel" in str(tokenizer.backend_tokenizer.decoder):
        return bytes(_bytes_of_letters()[letter] for letter in piece)
    text: str = tokenizer.decode([token_id])
    return None if REPLACEMENT in text else text.encode()


@lru_cache(maxsize=1)
def _bytes_of_letters() -> dict[str, int]:
    return {letter: byte for byte, letter in bytes_to_unicode().items()}
