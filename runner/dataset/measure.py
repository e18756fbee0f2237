"""One example as the checks see it, with its tokens counted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from runner.dataset.checks.conversation import Conversation, conversation_of_line, conversation_of_turns
from runner.dataset.tokens import TokenCounter
from runner.examples.content import Content, Rich, counted_turns


class Measured(NamedTuple):
    """An example to check, and the tokens that training on it takes."""

    conversation: Conversation
    n_tokens: int


def measure(content: Content, counter: TokenCounter) -> Measured:
    """Count the tokens of an example. One with two answers counts its prompt twice, as training does."""
    if isinstance(content, Rich):
        return measure_line(content.line, counter)
    n_tokens = counter.count(content)
    return Measured(conversation_of_turns(content, n_tokens), n_tokens)


def measure_line(line: Mapping[str, Any], counter: TokenCounter) -> Measured:
    """As `measure`, of a line of a training file. Raises ValueError for a line that is no example."""
    conversation = conversation_of_line(line)
    if not isinstance(conversation, Conversation):
        raise ValueError(conversation)
    counts = [counter.count(turns) for turns in counted_turns(line)]
    return Measured(replace(conversation, n_tokens=max(counts)), sum(counts))
