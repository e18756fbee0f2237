"""Texts that an earlier program spoiled are told from ordinary ones."""

import pytest

from runner.sources.garbled import garbled_sentence


@pytest.mark.parametrize(
    ("text", "wrong", "name"),
    [
        ("안녕하세요", ("utf-8", "cp1252"), "UTF-8 read as Windows-1252"),
        ("안녕", ("utf-8", "latin-1"), "UTF-8 read as Latin-1"),
        ("café", ("utf-8", "cp1252"), "UTF-8 read as Windows-1252"),
        ("it’s", ("utf-8", "cp1252"), "UTF-8 read as Windows-1252"),
        ("안녕하세요 여러분", ("cp949", "cp1252"), "CP949 read as Windows-1252"),
    ],
)
def test_a_misreading_is_recognised(text: str, wrong: tuple[str, str], name: str) -> None:
    right, other = wrong
    garbled = text.encode(right).decode(other, "ignore")

    assert f"found text that looks like {name}: export it again with the right encoding" == garbled_sentence(
        ["ok", garbled]
    )


def test_lost_characters_are_recognised() -> None:
    assert (
        "found the replacement character U+FFFD: an earlier program lost characters here"
        == garbled_sentence(["a\ufffdb"])
    )


@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요",
        "café résumé",
        "naïve — “quoted” text…",
        "日本語のテキスト",
        "Привет",
        "Größe",
        "30° ± 5 µm",
        "«bonjour»",
        "¿Qué tal?",
        "Ã",
        "ÄÖÜ",
        "😀 ok",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert "" == garbled_sentence([text])
