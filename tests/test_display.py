"""Text from elsewhere cannot drive a terminal."""

import json

import pytest

from runner.display import neutral_json, neutralise, one_line, shown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("lone \ud800", "lone \\ud800"),
        ("가나다\n\tok", "가나다\n\tok"),
    ],
)
def test_controls_become_visible(text: str, safe: str) -> None:
    assert safe == neutralise(text)


def test_json_stays_json_and_is_harmless() -> None:
    value = {"\u202ekey": "\x1b[31m \x9b31m \x7f \u200b \ud800 안녕\n\t👋"}
    text = neutral_json(json.dumps(value, ensure_ascii=False, indent=2))

    assert value == json.loads(text)
    assert text == neutralise(text)
    assert "안녕\\n\\t👋" in text


def test_one_line_is_short() -> None:
    assert "a\\nb" == one_line("a\nb")
    assert "aaaa…" == one_line("a" * 100, limit=5)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "true"),
        ("x", "'x'"),
        ([], "an empty list"),
        ([1, 2], "a list of 2"),
        ({}, "an empty object"),
        ({"a": 1}, "an object"),
        (1.5, "1.5"),
    ],
)
def test_values_are_named_as_people_write_them(value: object, name: str) -> None:
    assert name == shown(value)
