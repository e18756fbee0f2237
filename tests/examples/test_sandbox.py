"""What a hostile template can do: nothing, or little."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from runner.examples.allow_list import ALLOWED_FILTERS, ALLOWED_METHODS, ALLOWED_TESTS
from runner.examples.metering import MAX_MESSAGE_CHARACTERS, SandboxError
from runner.examples.rendering import make_context, render_text
from runner.examples.sandbox import make_environment

DATA: dict[str, Any] = {
    "title": "Title",
    "items": ["a", "b"],
    "n": 3,
    "price": 3.0,
    "yes": True,
    "nil": None,
    "page": {"k": "v", "_id": "x", "items": "I"},
    "big": "x" * 100_000,
    "long": list(range(1_000)),
    "code": "{{ 7 * 7 }}{% include 'a' %}",
}


def render(source: str, data: dict[str, Any] | None = None) -> str:
    environment = make_environment()
    template = environment.from_string(source)
    return render_text(template, make_context(environment, DATA if data is None else data))


REFUSED = {
    "class": "{{ ''.__class__.__mro__ }}",
    "class_by_item": "{{ title['__class__'] }}",
    "class_by_filter": "{{ title | attr('__class__') }}",
    "globals": "{{ items.__init__.__globals__ }}",
    "subclasses": "{{ ().__class__.__base__.__subclasses__() }}",
    "self": "{{ self._TemplateReference__context }}",
    "cycler_globals": "{{ cycler.__init__.__globals__.os }}",
    "lipsum_globals": "{{ lipsum.__globals__['os'].popen('id') }}",
    "joiner": "{{ joiner() }}",
    "namespace": "{% set x = namespace(a=1) %}",
    "namespace_assignment": "{% set title.a = 1 %}",
    "dict_call": "{{ dict(a=1) }}",
    "undefined_name": "{{ config }}",
    "context": "{{ context.environment }}",
    "str_format": "{{ '{0.__class__}'.format(title) }}",
    "format_map": "{{ '{a}'.format_map(page) }}",
    "format_filter": "{{ '%s' | format(title) }}",
    "percent": "{{ '%s' % title }}",
    "percent_width": "{{ '%999999999d' % 1 }}",
    "percent_in_test": "{{ '%999999999d' is even }}",
    "percent_in_divisibleby": "{{ '%999999999d' is divisibleby 3 }}",
    "map_attribute": "{{ items | map(attribute='format') | first }}",
    "sort_attribute": "{{ items | sort(attribute='format') }}",
    "groupby": "{{ items | groupby('format') }}",
    "selectattr": "{{ items | selectattr('format') | first }}",
    "map_of_a_variable": "{{ items | map(title) | first }}",
    "map_of_refused": "{{ items | map('pprint') | first }}",
    "select_of_refused": "{{ items | select('callable') | first }}",
    "random": "{{ items | random }}",
    "lipsum": "{{ lipsum(5) }}",
    "pprint": "{{ page | pprint }}",
    "urlize": "{{ title | urlize }}",
    "xmlattr": "{{ page | xmlattr }}",
    "filesizeformat": "{{ n | filesizeformat }}",
    "method_center": "{{ title.center(999999999) }}",
    "method_ljust": "{{ title.ljust(999999999) }}",
    "method_zfill": "{{ title.zfill(999999999) }}",
    "method_expandtabs": "{{ '\t'.expandtabs(999999999) }}",
    "filter_center": "{{ title | center(999999999) }}",
    "indent": "{{ title | indent(999999999, true) }}",
    "tojson_indent": "{{ page | tojson(999999999) }}",
    "wordwrap": "{{ big | wordwrap(1, wrapstring=big) }}",
    "batch": "{{ items | batch(999999999, 'x') | list }}",
    "slice": "{{ items | slice(999999999) | list }}",
    "text_times": "{{ 'x' * 999999999 }}",
    "times_text": "{{ 999999999 * 'x' }}",
    "list_times": "{{ ([1] * 999999999) | length }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "range": "{{ range(999999999) | list }}",
    "replace": "{{ big | replace('x', big) }}",
    "replace_nothing": "{{ big | replace('', big) }}",
    "method_replace": "{{ big.replace('x', big) }}",
    "join": "{{ long | join(big) }}",
    "method_join": "{{ big.join(long) }}",
    "sum_of_lists": "{{ [[1]] | sum(start=[]) }}",
    "doubling_concat": "{% set a = big %}" + "{% set a = a ~ a %}" * 30 + "{{ a }}",
    "doubling_add": "{% set a = big %}" + "{% set a = a + a %}" * 30 + "{{ a }}",
    "doubling_list": "{% set a = long %}" + "{% set a = a + a %}" * 30 + "{{ a | length }}",
    "doubling_in_loops": "{% for a in long %}{% for b in long %}{{ big ~ a }}{% endfor %}{% endfor %}",
    "many_small_texts": "{% for a in long %}{% for b in long %}{{ title }}{% endfor %}{% endfor %}",
    "work_without_output": "{% for a in long %}{% set x = big ~ big %}{% endfor %}",
    "squaring": "{% set x = 9 %}" + "{% set x = x * x %}" * 30 + "{{ x }}",
    "nested_loops": "{% for a in long %}" * 3 + "{% endfor %}" * 3,
    "loop_of_a_filter": "{% for a in long %}{{ long | map('string') | join | length }}{% endfor %}",
    "set_block": "{% set a %}{{ big }}{% endset %}{{ a }}",
    "recursive_loop": "{% for a in items recursive %}{{ loop(items) }}{% endfor %}",
    "macro_recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "call_block": "{% call f() %}x{% endcall %}",
    "filter_block": "{% filter upper %}x{% endfilter %}",
    "block": "{% block a %}x{% endblock %}",
    "extends": "{% extends 'a' %}",
    "import": "{% import 'a' as b %}",
    "from_import": "{% from 'a' import b %}",
    "with": "{% with a = 1 %}{{ a }}{% endwith %}",
    "autoescape": "{% autoescape true %}x{% endautoescape %}",
    "include_variable": "{% include title %}",
    "include_list": "{% include ['a', 'b'] %}",
    "include_ignoring": "{% include 'a' ignore missing %}",
    "include_without_context": "{% include 'a' without context %}",
    "star_arguments": "{{ title | replace(*items) }}",
    "double_star_arguments": "{{ title.replace('a', **page) }}",
    "append": "{{ items.append('c') }}",
    "pop": "{{ items.pop() }}",
    "update": "{{ page.update({}) }}",
    "call_of_a_call": "{{ title.upper()() }}",
    "bound_method": "{{ title.upper }}",
    "loop_object": "{% for a in items %}{{ loop }}{% endfor %}",
    "loop_internals": "{% for a in items %}{{ loop._iterator }}{% endfor %}",
    "loop_cycle": "{% for a in items %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "loop_changed": "{% for a in items %}{{ loop.changed(a) }}{% endfor %}",
    "sameas": "{{ title is sameas title }}",
    "infinity": "{{ 1e999 }}",
    "float_from_text": "{{ 'nan' | float }}",
    "surrogate": "{{ '\\ud800' }}",
    "none": "{{ nil }}",
    "list": "{{ items }}",
    "object": "{{ page }}",
    "nothing": "{{ page.missing }}",
    "nothing_in_text": "{{ title ~ page.missing }}",
    "long_filter_chain": "{{ title" + " | upper" * 300 + " }}",
    "look_alike_name": "{{ ﬁeld }}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_payload_is_refused_quickly(name: str) -> None:
    start = time.process_time()

    with pytest.raises((SandboxError, TemplateSyntaxError)) as error:
        render(REFUSED[name])

    assert str(error.value).startswith(("found", "`"))
    assert time.process_time() - start < 2
    assert " at 0x" not in str(error.value)


@pytest.mark.parametrize(
    "source", ["{{ " + "(" * 5_000, "{{ " + "9" * 5_000 + " }}", "{% for a in items %}" * 30]
)
def test_source_that_breaks_the_compiler_raises_what_the_checks_expect(source: str) -> None:
    with pytest.raises((TemplateSyntaxError, RecursionError, SyntaxError, MemoryError, ValueError)):
        render(source)


ALLOWED = {
    "{{ title }}": "Title",
    "{{ n }} {{ price }} {{ yes }}": "3 3.0 true",
    "{{ 1 / 4 }} {{ 10 // 4 }} {{ 10 % 4 }} {{ n * n - 1 }}": "0.25 2 2 8",
    "{{ code }}": "{{ 7 * 7 }}{% include 'a' %}",
    "{{ title ~ n ~ yes }}{{ title + '!' }}": "Title3trueTitle!",
    "{{ page.k }}{{ page['_id'] }}{{ page.items }}": "vxI",
    "{{ page.items() | length }}{{ page.keys() | join(',') }}{{ page.get('zz', 'd') }}": "3k,_id,itemsd",
    "{{ items | map('upper') | join(', ') }}": "A, B",
    "{{ [1, 'a', 2] | select('number') | join }}{{ [1, 'a'] | reject('number') | join }}": "12a",
    "{% for a in items %}{{ loop.index }}{{ a }}{% if not loop.last %},{% endif %}{% endfor %}": "1a,2b",
    "{% for a in [] %}x{% else %}none{% endfor %}": "none",
    "{% for k, v in page.items() %}{{ k }}={{ v }};{% endfor %}": "k=v;_id=x;items=I;",
    "{% set x = title | upper %}{{ x }}": "TITLE",
    "{{ 'x' if n > 2 else 'y' }}{{ nil or 'd' }}": "xd",
    "{{ nil | default('d', true) }}{{ page.z | default('e') }}": "de",
    "{{ 'Tit' in title }}{{ 'k' in page }}{{ n is in [3] }}{{ page.z is defined }}": "truetruetruefalse",
    "{{ title[0] }}{{ title[-2:] }}{{ items[1] }}": "Tleb",
    "{{ page | tojson }}{{ '한' | tojson }}": '{"k": "v", "_id": "x", "items": "I"}"한"',
    "{{ title.replace('t', 'T').strip().split('T') | length }}": "3",
    "{{ 'a b  c'.split() | join('-') }} {{ ' x ' | trim }}": "a-b-c x",
    "{{ 2.567 | round(2) }} {{ 2.1 | round(0, 'ceil') }}": "2.57 3.0",
    "{{ '12' | int }} {{ 'x' | int(7) }} {{ '1.5' | float }}": "12 7 1.5",
    "{{ [3, 1, 2] | sort | join }}{{ [3, 1] | max }}{{ [3, 1] | min }}": "12331",
    "{{ [1, 2] | sum }}{{ [1, 1] | unique | length }}": "31",
    "{{ 'one two three' | truncate(9) }}|{{ 'a\nb' | indent(2) }}": "one...|a\n  b",
    "{# a comment #}{% raw %}{{ x }}{% endraw %}": "{{ x }}",
    "{{ {'a': 'b'}['a'] }}{{ (1, 2) | length }}": "b2",
    "one\n": "one",
    "two\n\n": "two\n",
    "crlf\r\nend": "crlf\nend",
}


@pytest.mark.parametrize("source", ALLOWED)
def test_what_prompts_need_is_allowed(source: str) -> None:
    assert ALLOWED[source] == render(source)


def test_the_lists_of_what_is_allowed_are_of_use() -> None:
    environment = make_environment()

    assert {name for name in environment.filters if " " not in name} == ALLOWED_FILTERS
    assert set(environment.tests) == ALLOWED_TESTS
    assert {name.split()[-1] for name in environment.filters if " method " in name} == ALLOWED_METHODS
    assert {} == environment.globals


def test_output_up_to_the_cap_is_allowed() -> None:
    assert MAX_MESSAGE_CHARACTERS == len(render("{{ x }}{{ x }}", {"x": "y" * (MAX_MESSAGE_CHARACTERS // 2)}))


@given(value=st.text() | st.integers() | st.booleans(), extra=st.text())
def test_values_are_never_templates(value: Any, extra: str) -> None:
    """Whatever stands in the data comes out as it is, and does not change its surroundings."""
    text = value if isinstance(value, str) else {True: "true", False: "false"}.get(value, str(value))
    if not isinstance(value, bool) and isinstance(value, int):
        text = str(value)
    try:
        expected = f"<{text}|{extra}>"
        expected.encode("utf-8")
    except UnicodeEncodeError:
        return

    assert expected == render("<{{ value }}|{{ extra }}>", {"value": value, "extra": extra})
