"""The token estimate."""

from runner.dataset.tokens import EstimatedTokens
from runner.examples.read import Message


def test_the_estimate_tells_scripts_apart() -> None:
    """Korean text has about three times the tokens of English text of the same length."""
    english = EstimatedTokens().count([Message(role="user", content="a" * 180)])
    korean = EstimatedTokens().count([Message(role="user", content="가" * 180)])

    assert (40, 107) == (english, korean)


def test_an_estimate_has_a_margin() -> None:
    assert 0.2 == EstimatedTokens().margin
