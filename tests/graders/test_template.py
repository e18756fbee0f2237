"""Templates of the API: paths in text and nothing more."""

from typing import Any

import pytest

from runner.graders.template import Sample, TemplateError, check_template, fill

ITEM = {"reference": "안녕", "answers": ["a", {"text": "b"}], "n": 3, "제목": "세금", "none": None}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ sample.output_text }}", '{"score": [1, 2]}'),
        ("{{sample.output_json.score[1]}}", "2"),
        ("{{ sample.output_tools }}", '[{"name": "f"}]'),
        ("정답: {{ item.reference }}!", "정답: 안녕!"),
        ("{{ item.제목 }}", "세금"),
        ("{{ item.answers[1].text }}", "b"),
        ("{{ item.answers }}", '["a", {"text": "b"}]'),
        ("{{ item.n }} {{ item.none }}", "3 null"),
        ("no holes { } {{", "no holes { } {{"),
    ],
)
def test_paths_are_filled(template: str, expected: str) -> None:
    """Text as it is, everything else as JSON."""
    sample = Sample(output_text='{"score": [1, 2]}', output_tools=({"name": "f"},))

    assert fill(template, sample, ITEM) == expected


def test_values_are_never_templates() -> None:
    """What a model says cannot read the reference."""
    sample = Sample(output_text="{{ item.reference }}")

    assert fill("{{ sample.output_text }}", sample, ITEM) == "{{ item.reference }}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ item.missing }}", "item has no 'missing'"),
        ("{{ item.answers[2] }}", "item.answers has no '2'"),
        ("{{ item.reference.real }}", "item.reference has no 'real'"),
        ("{{ sample.output_json.score }}", "sample has no 'output_json'"),
    ],
)
def test_what_is_not_there_is_named(template: str, message: str) -> None:
    """A grade of nothing would look like a low grade."""
    with pytest.raises(TemplateError) as caught:
        fill(template, Sample(output_text="no json"), ITEM)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ output_text }}", "'{{ output_text }}' begins with 'output_text', expected item or sample"),
        (
            "{{ item.a | upper }}",
            "'{{ item.a | upper }}' is not a path such as item.reference or item.answers[0]",
        ),
        (
            "{{ item.__class__() }}",
            "'{{ item.__class__() }}' is not a path such as item.reference or item.answers[0]",
        ),
        ("{{}}", "'{{}}' is not a path such as item.reference or item.answers[0]"),
        ("{{ sample.output_text ", "'{{ sample.output_text' has no '}}' behind it"),
        ("{{ item.a }} of {{item.b }", "'{{item.b' has no '}}' behind it"),
        (
            "{{ sample.output_txt }}",
            "sample has no 'output_txt', expected one of output_json, output_text, output_tools",
        ),
    ],
)
def test_what_is_no_path_is_refused_before_it_is_used(template: str, message: str) -> None:
    """The recipe's Jinja does not work here."""
    with pytest.raises(TemplateError) as caught:
        check_template(template)

    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["{{ sample }}", "{{", 'as {"a": {"b": 1}}', "{{ or item"])
def test_braces_that_begin_no_path_are_text(text: str) -> None:
    check_template(text)


@pytest.mark.parametrize("value", [{"a": 1}, [1], "text", 3])
def test_attributes_of_values_are_out_of_reach(value: Any) -> None:
    """A path follows keys and places, not Python."""
    with pytest.raises(TemplateError):
        fill("{{ item.x.__class__ }}", Sample(output_text=""), {"x": value})
