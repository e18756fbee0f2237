"""The token estimate, and the count where a tokenizer is at hand."""

import pytest

from runner.dataset.tokens import CountedTokens, EstimatedTokens
from runner.examples.read import Message
from runner.providers.hosts import find_host


def test_the_estimate_tells_scripts_apart() -> None:
    """Korean text has about three times the tokens of English text of the same length."""
    english = EstimatedTokens().count([Message(role="user", content="a" * 180)])
    korean = EstimatedTokens().count([Message(role="user", content="가" * 180)])

    assert (52, 146) == (english, korean)


def test_an_estimate_has_a_margin() -> None:
    assert 0.3 == EstimatedTokens().margin


@pytest.mark.torch
def test_the_count_is_what_training_sees() -> None:
    """The same number as the trainer's own rendering, for several turns in two scripts."""
    pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
    from runner.local.training.conversation import render_conversation
    from runner.local.training.tiny_model import load_tiny_tokenizer
    from runner.local.training.training_file import Message as TrainingMessage

    turns = [
        ("system", "Category: 설정"),
        ("user", "포트는?\n\n "),
        ("assistant", "443 😀"),
        ("user", "?"),
        ("assistant", "!"),
    ]
    entry = find_host("local").models[0]
    assert entry.tokenizer is not None
    counted = CountedTokens(entry.tokenizer, entry.chat_format).count(
        Message(role=role, content=content) for role, content in turns
    )
    ids, _ = render_conversation(
        load_tiny_tokenizer(), [TrainingMessage(role=role, content=content) for role, content in turns]
    )

    assert len(ids) == counted
