"""Tokens of any script."""

import unicodedata

import pytest

from runner.graders.tokens import tokenise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World! It's 3.5", ["hello", "world", "it's", "3", "5"]),
        ("세금을 냅니다.", ["세", "금", "을", "냅", "니", "다"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("GPT-4를 쓴다", ["gpt", "4", "를", "쓴", "다"]),
        ("Straße", ["strasse"]),
        ("Привет мир", ["привет", "мир"]),
        ("!?… \U0001f600", []),
    ],
)
def test_words_and_characters(text: str, expected: list[str]) -> None:
    """Words where a script has spaces, characters where whole words would hardly ever meet."""
    assert tokenise(text) == expected


def test_both_ways_to_write_hangul_are_one() -> None:
    """A syllable typed on a Mac is the same as one typed elsewhere."""
    assert tokenise(unicodedata.normalize("NFD", "한글")) == ["한", "글"]
