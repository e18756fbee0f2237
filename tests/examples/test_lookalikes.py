"""Curly quotes and odd spaces belong into a template's text, not into its expressions."""

import pytest

from runner.examples.templates import check_templates
from tests.examples.conftest import MakeSetting


@pytest.mark.parametrize(
    ("content", "name", "meant"),
    [
        ("\uac00 {{ title | default(“x”) }}", "“ (U+201C)", "a double quote"),
        ("{{ title | default(‘x’) }}", "‘ (U+2018)", "a single quote"),
        ("{% if title == ”x” %}a{% endif %}", "” (U+201D)", "a double quote"),
        ("{{\u00a0title }}", "U+00A0", "a space"),
        ("“{{ title\u202f}}”", "U+202F", "a space"),
    ],
)
def test_signs_of_word_processors_are_named(
    content: str, name: str, meant: str, setting: MakeSetting
) -> None:
    made = setting(template={"messages": [{"role": "user", "content": content}]})

    assert [
        (
            ("template", "messages", 0, "content"),
            f"found {name} in an expression, expected {meant}. Type it again in a plain text editor.",
        )
    ] == check_templates(made.recipe, made.folder, made.project)


def test_they_are_named_in_conditions_and_by_line(setting: MakeSetting) -> None:
    made = setting(
        files={"a.j2": "“{{ title }}”\n{{ title\u00a0}}\n"},
        where="title != “x”",
        template={"messages": [{"role": "user", "content_file": "a.j2"}]},
    )

    assert {
        "found “ (U+201C) in an expression, expected a double quote. Type it again in a plain text editor.",
        "line 2: found U+00A0 in an expression, expected a space. Type it again in a plain text editor.",
    } == {message for _, message in check_templates(made.recipe, made.folder, made.project)}


@pytest.mark.parametrize(
    "content",
    [
        "“{{ title }}”\u00a0‘x’",
        "{{ title | default('“x”\u00a0') }}",
        "{# “x”\u00a0#}{{ title }}",
        "{% raw %}{{ “x” }}{% endraw %}{{ title }}",
    ],
)
def test_text_may_have_them(content: str, setting: MakeSetting) -> None:
    made = setting(template={"messages": [{"role": "user", "content": content}]})

    assert [] == check_templates(made.recipe, made.folder, made.project)
