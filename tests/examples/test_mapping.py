"""Field values out of records."""

from typing import Any

import pytest

from runner.examples.mapping import compile_fields, map_record
from runner.examples.paths import PathError, compile_path, is_expression
from runner.sources.base import Record
from tests.examples.conftest import MakeSetting


def mapped(setting: MakeSetting, field: Any, data: dict[str, Any]) -> Any:
    made = setting(fields={"x": field}, template={"messages": []})
    values = map_record(compile_fields(made.recipe), Record(data, "data.json", 1))
    assert isinstance(values, dict), values
    return values["x"]


@pytest.mark.parametrize(
    "key", ["title", "제목", "og:title", "Question Text", "a-b", "$ref", "#", "a/b", "'a'", ""]
)
def test_a_plain_key_is_taken_as_it_is(key: str) -> None:
    assert not is_expression(key)
    assert "A" == compile_path(key)({key: "A", "other": "B"})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("crumb[0]", "a"),
        ("crumb[-1]", "c"),
        ("sections[].text", ["one", "two"]),
        ("sections[?draft].text | [0]", "two"),
        ("page.title", "nested"),
        ('"page.title"', "flat"),
        ("length(crumb)", 3),
        ("join('-', crumb)", "a-b-c"),
        ("sort_by(sections, &text)[0].text", "one"),
        ("@.count", 3),
        ("sections[*].missing", []),
        ("missing.deeper", None),
    ],
)
def test_an_expression_is_jmespath(path: str, expected: Any) -> None:
    data = {
        "crumb": ["a", "b", "c"],
        "sections": [{"text": "one"}, {"text": "two", "draft": True}],
        "page": {"title": "nested"},
        "page.title": "flat",
        "count": 3,
    }

    assert expected == compile_path(path)(data)


@pytest.mark.parametrize(
    ("field", "data", "expected"),
    [
        ({"path": "a", "default": ""}, {}, ""),
        ({"path": "a", "default": ""}, {"a": None}, ""),
        ({"path": "a", "default": None}, {}, None),
        ({"path": "a", "default": " x "}, {}, " x "),
        ({"path": "a", "required": False}, {}, None),
        ({"path": "a", "required": False, "trim": True}, {}, None),
        ({"path": "a"}, {"a": ""}, ""),
        ({"path": "a"}, {"a": False}, False),
        ({"path": "a"}, {"a": 0}, 0),
        (
            {"path": "a[].t", "join": "\n"},
            {"a": [{"t": "x"}, {"t": None}, {}, {"t": 2}, {"t": 2.0}]},
            "x\n2\n2.0",
        ),
        ({"path": "a", "join": ","}, {"a": []}, ""),
        ({"path": "a", "trim": True}, {"a": "\u00a0\u2028 x y\u3000\n"}, "x y"),
        ({"path": "a", "collapse_space": True}, {"a": " x\u00a0\u2029\n\ty "}, " x y "),
        ({"path": "a", "join": " ", "collapse_space": True, "trim": True}, {"a": [" x", "\n", "y "]}, "x y"),
    ],
)
def test_options(setting: MakeSetting, field: Any, data: dict[str, Any], expected: Any) -> None:
    assert expected == mapped(setting, field, data)


def test_all_problems_of_a_record_are_found(setting: MakeSetting) -> None:
    made = setting(fields={"a": "a", "b": {"path": "b", "join": ","}, "c": "c"}, template={"messages": []})

    issues = map_record(compile_fields(made.recipe), Record({"b": 1, "c": 2}, "data.json", 7))

    assert [
        "data.json: row 7: field 'a': found nothing at 'a', expected a value. The record has 'b', 'c'.",
        "data.json: row 7: field 'b': found 1, expected a list. Remove `join`, or use another path.",
    ] == [str(issue) for issue in issues]


@pytest.mark.parametrize(
    "path",
    [
        "to_array(&a)",
        "[&a]",
        "to_string(&a)",
        "not_null(&a)",
        "[`NaN`]",
        '[`"\\ud800"`]',
        "(" * 2_000,
        "(" * 900,
        "[" * 900 + "]" * 900,
        "a.b" + ".c" * 600,
        "nope(@)",
        "a[`1`",
    ],
)
def test_what_is_no_data_is_refused_at_once(path: str) -> None:
    """An expression reference prints a memory address; NaN and half characters are not JSON."""
    with pytest.raises(PathError):
        compile_path(path)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("to_number(a)", {"a": "inf"}),
        ("to_number(a)", {"a": "9" * 5_000}),
        ("sum(a)", {"a": [1e308, 1e308]}),
        ("a[::0]", {"a": [1]}),
        ("max_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}),
        ("sort(a)", {"a": [1, "x"]}),
        ("join(a, b)", {"a": 1, "b": 2}),
        ("ceil(to_number(a))", {"a": "nan"}),
    ],
)
def test_an_expression_that_fails_says_so(path: str, data: dict[str, Any]) -> None:
    with pytest.raises(PathError):
        compile_path(path)(data)
