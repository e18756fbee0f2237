"""A quick function gives what the sandbox gives, or leaves the record to it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2.parser import Parser

from runner.examples.allow_list import refusals
from runner.examples.filters import FILTERS
from runner.examples.metering import SandboxError
from runner.examples.operations import METHODS, TESTS
from runner.examples.quick import DOUBTS, MAX_CHARACTERS, MAX_OPERATIONS, quick_render, quick_value
from runner.examples.rendering import RESULT, evaluate, make_context, render_text
from runner.examples.sandbox import make_environment, parse_expression, rewrite

FIELDS = ("title", "n", "price", "flag", "nil", "tags", "page")
ENVIRONMENT = make_environment()
NAMES = frozenset(FIELDS)

texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\x85\0\r\n\t\"'{}% ßİ😀가"), max_size=12
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
records = st.fixed_dictionaries({name: values for name in FIELDS})
constants = st.sampled_from(
    ["''", "' '", "'가'", "', '", "0", "1", "2", "-1", "2.5", "true", "none", "'title'"]
)
names = st.sampled_from(FIELDS)


def _filtered(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(constants, max_size=2).map(", ".join)
    filters, methods = st.sampled_from(sorted(FILTERS)), st.sampled_from(sorted(METHODS))
    tests = st.sampled_from(sorted(TESTS))
    return st.one_of(
        st.tuples(inner, filters).map(" | ".join),
        st.tuples(inner, filters, arguments).map(lambda parts: f"({parts[0]}) | {parts[1]}({parts[2]})"),
        st.tuples(inner, methods, arguments).map(lambda parts: f"({parts[0]}).{parts[1]}({parts[2]})"),
        st.tuples(inner, tests).map(lambda parts: f"({parts[0]}) is {parts[1]}"),
        st.tuples(inner, constants).map(lambda parts: f"({parts[0]})[{parts[1]}]"),
        st.tuples(
            inner,
            st.sampled_from(
                ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in"]
            ),
            inner,
        ).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        inner.map(lambda part: f"not ({part})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]}) if ({parts[1]}) else ({parts[2]})"),
    )


expressions = st.recursive(names | constants, _filtered, max_leaves=4)
templates = st.lists(
    expressions.map(lambda part: f"{{{{ {part} }}}}")
    | st.sampled_from(["제목: ", "\n", " a ", "{% if flag %}yes{% elif n %}{{ n }}{% else %}no{% endif %}"]),
    min_size=1,
    max_size=4,
).map("".join)


def in_sandbox(source: str, record: dict[str, Any]) -> str | None:
    try:
        return render_text(ENVIRONMENT.from_string(source), make_context(ENVIRONMENT, record))
    except SandboxError:
        return None


def quickly(source: str, record: dict[str, Any]) -> str | None:
    """What the quick function gives; None where it leaves the record to the sandbox."""
    render = quick_render(Parser(ENVIRONMENT, source).parse(), NAMES)
    try:
        return render(record) if render else None
    except DOUBTS:
        return None


@given(source=templates, record=records)
@example(source="{{ title | default('x') }}", record=dict.fromkeys(FIELDS, "가"))
def test_a_template_gives_the_same_text(source: str, record: dict[str, Any]) -> None:
    if list(refusals(Parser(ENVIRONMENT, source).parse())):
        return
    quick = quickly(source, record)

    assert quick is None or in_sandbox(source, record) == quick


@given(source=expressions, record=records)
def test_an_expression_gives_the_same_value(source: str, record: dict[str, Any]) -> None:
    tree, problems = parse_expression(ENVIRONMENT, source)
    compute = quick_value(Parser(ENVIRONMENT, source, state="variable").parse_expression(), NAMES)
    if problems or compute is None:
        return
    try:
        quick = compute(record)
    except DOUBTS:
        return
    template = ENVIRONMENT.from_string(rewrite(tree, ENVIRONMENT))
    value = evaluate(template, make_context(ENVIRONMENT, record))

    assert RESULT == "result"
    assert (type(value), repr(value)) == (type(quick), repr(quick))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ title }}", "T"),
        ("Title: {{ title | upper }}!\n", "Title: T!"),
        ("{{ page.k }}{{ page['k'] }}{{ tags[0] }}", "vva"),
        ("{% if n > 2 and title %}{{ n }}{% else %}-{% endif %}", "3"),
        ("{{ 'x' if flag else 'y' }}{{ title ~ n }}{{ n + 1 }}", "xT34"),
        ("{{ title.lower() }}{{ tags | join(', ') }}{{ price }}", "ta, b2.5"),
    ],
)
def test_common_templates_are_quick(source: str, expected: str) -> None:
    record = {
        "title": "T",
        "n": 3,
        "price": 2.5,
        "flag": True,
        "nil": None,
        "tags": ["a", "b"],
        "page": {"k": "v"},
    }

    assert expected == quickly(source, record) == in_sandbox(source, record)


@pytest.mark.parametrize(
    "source",
    [
        "{% for tag in tags %}{{ tag }}{% endfor %}",
        "{% set x = title %}{{ x }}",
        "{{ tags | map('upper') | join }}",
        "{{ other }}",
        "{{ title" + " | trim" * MAX_OPERATIONS + " }}",
        "{{ '\\ud800' }}",
    ],
)
def test_what_is_not_simple_is_left_to_the_sandbox(source: str) -> None:
    assert quick_render(Parser(ENVIRONMENT, source).parse(), NAMES) is None


@pytest.mark.parametrize(
    ("source", "record"),
    [
        ("{{ nil }}", {"nil": None}),
        ("{{ page.absent }}", {"page": {}}),
        ("{{ page.absent | default('') }}", {"page": {}}),
        ("{{ n / 0 }}", {"n": 1}),
        ("{{ title }}", {"title": "x" * (MAX_CHARACTERS + 1)}),
        ("{{ title }}" * 9, {"title": "x" * MAX_CHARACTERS}),
        ("{{ title | upper }}" * 9, {"title": "x" * MAX_CHARACTERS}),
        ("{{ n * n }}", {"n": 1 << 40}),
    ],
)
def test_what_is_unusual_is_left_to_the_sandbox(source: str, record: dict[str, Any]) -> None:
    render = quick_render(Parser(ENVIRONMENT, source).parse(), NAMES)

    assert render is not None
    with pytest.raises(DOUBTS):
        render(record)
