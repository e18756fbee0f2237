"""Keeps an answer within a JSON Schema while it is generated."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch

# Otherwise a model that knows nothing writes spaces for ever.
COMPACT = {"whitespace_flexible": False}


class InvalidSchemaError(ValueError):
    """A JSON Schema cannot be enforced; the text says why."""


class Grammar:
    """What may follow in one answer."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def is_complete(self) -> bool:
        """Whether nothing can follow."""
        return bool(self._matcher.is_stopped())

    def masked(self, logits: torch.Tensor) -> torch.Tensor:
        """Rule out every token that would break the schema; logits are (V,)."""
        # One byte a token, 0 for what is ruled out.
        bias = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)  # (V,)
        return logits.masked_fill(bias.to(logits.device) == 0, -torch.inf)

    def take(self, token_id: int) -> None:
        """Go on behind a token."""
        if not self._matcher.consume_token(token_id) and not self._matcher.is_stopped():
            raise AssertionError(f"BUG: the grammar refuses its own token: {self._matcher.get_error()}")


def make_grammar(schema: Mapping[str, Any], tokenizer: Any, n_vocabulary: int) -> Grammar:
    """Make a grammar of JSON from a schema. Raises InvalidSchemaError, and ImportError without llguidance."""
    from llguidance import LLMatcher

    vocabulary = _vocabulary(tokenizer, n_vocabulary)
    try:
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=COMPACT)
    except ValueError as error:
        raise InvalidSchemaError(_first_line(str(error))) from error
    is_refused, messages = LLMatcher.validate_grammar_with_warnings(grammar, vocabulary)
    if is_refused:
        raise InvalidSchemaError(_first_line(" ".join(messages)))
    return Grammar(LLMatcher(vocabulary, grammar))


@lru_cache(maxsize=4)
def _vocabulary(tokenizer: Any, n_vocabulary: int) -> Any:
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, n_vocab=n_vocabulary)


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0][:300]
