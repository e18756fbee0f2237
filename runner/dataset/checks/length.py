"""Rules about examples that are longer than the model takes."""

import math
from collections.abc import Iterator

from runner.dataset.checks.conversation import Conversation
from runner.dataset.checks.hits import Values
from runner.dataset.checks.rule import ExampleRule, Rule, Setup


def too_long(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT106."""
    limit, n_tokens = setup.limits.max_example_tokens, conversation.n_tokens
    if limit is not None and _surely(n_tokens, setup) > limit:
        yield {"found": n_tokens, "limit": limit, "quality": ", estimated" if setup.margin else ""}


def maybe_too_long(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT111."""
    limit, n_tokens = setup.limits.max_example_tokens, conversation.n_tokens
    if limit is None or _surely(n_tokens, setup) > limit:
        return
    if n_tokens * (1 + setup.margin) > limit:
        yield {"found": n_tokens, "limit": limit}


def most_tokens(setup: Setup) -> float:
    """An example of so many tokens breaks no rule about its length."""
    limit = setup.limits.max_example_tokens
    return math.inf if limit is None else limit // (1 + setup.margin) - 1


def _surely(n_tokens: int, setup: Setup) -> float:
    return n_tokens * (1 - setup.margin)


LENGTH_RULES = (
    ExampleRule(
        Rule(
            code="FT106",
            name="too-long",
            level="error",
            problem="an example is longer than the model takes ({found} tokens{quality}, limit {limit}); "
            "its end, the answer, would be cut off.",
            advice="Shorten it, or leave it out with `where`.",
            description="An example has no more tokens than the model takes.",
            why="Hosted services cut longer examples at their end without a word, and the end is the answer.",
            bad="an example of 70,000 tokens for a model that takes 65,536",
            good="an example of 60,000 tokens for a model that takes 65,536",
        ),
        too_long,
    ),
    ExampleRule(
        Rule(
            code="FT111",
            name="maybe-too-long",
            level="warning",
            problem="an example may be longer than the model takes (about {found} tokens, limit {limit}).",
            advice="Shorten it to be safe.",
            description="An example whose tokens are estimated stays clear of what the model takes.",
            why="As FT106, where the number of tokens is an estimate and the limit lies within its error.",
            bad="an example of about 64,000 tokens for a model that takes 65,536",
            good="an example of about 50,000 tokens for a model that takes 65,536",
        ),
        maybe_too_long,
    ),
)
