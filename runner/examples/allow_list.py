"""What a template may use, and the sentence for everything else that it asks for."""

import inspect
import math
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import nodes

from runner.display import one_line, shown
from runner.examples.filters import FILTERS, Operation
from runner.examples.metering import MAX_NUMBER_BITS
from runner.examples.operations import METHODS, TESTS
from runner.hints import listed, nearest

MAX_DEPTH = 50
MAX_NODES = 10_000

ALLOWED_NODES: frozenset[type[nodes.Node]] = frozenset(
    {nodes.Template, nodes.TemplateData, nodes.Output, nodes.If, nodes.For, nodes.Assign, nodes.Include}
    | {nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword}
    | {nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.Call, nodes.CondExpr}
    | {nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Concat}
    | {nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod}
)
# These take the name of another filter or of a test, which has to be written out.
FILTERS_BY_NAME = frozenset({"map", "select", "reject"})
ALLOWED_FILTERS = frozenset(FILTERS) | FILTERS_BY_NAME
ALLOWED_TESTS = frozenset(TESTS)
ALLOWED_METHODS = frozenset(METHODS)
LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"}
)

_WRITE_OUT = "Write the messages out, or use `include`."
_REFUSED_NODES: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Macro: ("a macro", _WRITE_OUT),
    nodes.CallBlock: ("a `call` block", _WRITE_OUT),
    nodes.FilterBlock: ("a `filter` block", "Use the filter inside `{{ … }}`."),
    nodes.AssignBlock: ("a `set` block", "Use `{% set name = … %}`."),
    nodes.Block: ("a `block`", _WRITE_OUT),
    nodes.Extends: ("`extends`", _WRITE_OUT),
    nodes.Import: ("`import`", _WRITE_OUT),
    nodes.FromImport: ("`from … import`", _WRITE_OUT),
    nodes.With: ("a `with` block", "Use `{% set name = … %}`."),
    nodes.Scope: ("an `autoescape` block", "Remove it: nothing is escaped."),
    nodes.Pow: ("the operator `**`", "Multiply instead."),
    nodes.NSRef: ("an assignment to an attribute", "Use `{% set name = … %}`."),
}
_REFUSED_FILTERS = {
    "attr": "Write `value.name` or `value['name']`.",
    "center": "Its width could fill the memory.",
    "e": "Nothing is escaped in a prompt.",
    "escape": "Nothing is escaped in a prompt.",
    "format": "Use `~` to put texts together.",
    "groupby": "Give the field a path that does it.",
    "pprint": "Use `tojson`.",
    "random": "The result would differ from run to run.",
    "rejectattr": "Give the field a path such as `items[?draft].text`.",
    "safe": "Nothing is escaped in a prompt.",
    "selectattr": "Give the field a path such as `items[?draft].text`.",
}
_REFUSED_CALLS = {
    "cycler": "Use `loop.index0`.",
    "dict": "Write `{'name': value}`.",
    "joiner": "Use the filter `join`.",
    "lipsum": "The result would differ from run to run.",
    "loop": "Loops inside loops have to be written out.",
    "namespace": "Use `{% set name = … %}`.",
    "range": "Loop over a field.",
}
_SPECIAL_NAMES = frozenset({"self", "super", "caller", "varargs", "kwargs"})

Problem = tuple[int, str]


def refusals(tree: nodes.Template) -> Iterator[Problem]:
    """Everything in a template that is not allowed: (line, sentence)."""
    n_nodes = 0
    pending: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        n_nodes += 1
        if depth > MAX_DEPTH or n_nodes > MAX_NODES:
            what = f"more than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"more than {MAX_NODES} parts"
            yield node.lineno or 1, f"found {what} in a template, expected less. Simplify it."
            return
        sentence = _refusal(node)
        if sentence:
            yield node.lineno or 1, sentence
        else:
            children = list(node.iter_child_nodes())
            if isinstance(node, nodes.Call):
                # The method's name is checked with the call; what it is called on comes next.
                children = [child for child in children if child is not node.node]
                children += node.node.iter_child_nodes()
            pending += [(child, depth + 1) for child in reversed(children)]


def _refusal(node: nodes.Node) -> str | None:
    if type(node) not in ALLOWED_NODES:
        found, remedy = _REFUSED_NODES.get(type(node), (f"`{type(node).__name__.lower()}`", "Remove it."))
        return f"found {found}, expected only what a prompt needs. {remedy}"
    check = _CHECKS.get(type(node))
    return check(node) if check else None


def _check_name(node: nodes.Name) -> str | None:
    if node.name in _SPECIAL_NAMES:
        return f"found `{node.name}`, expected a field. Use the fields of the recipe."
    normal = unicodedata.normalize("NFKC", node.name)
    if normal != node.name:
        return (
            f"found the name {shown(node.name)}, expected it in the normal form NFKC. Write {shown(normal)}."
        )
    return None


def _check_attribute(node: nodes.Getattr) -> str | None:
    if node.attr.startswith("_"):
        return (
            f"found `.{one_line(node.attr)}`, expected a name without an underscore in front. "
            "Write `value['_name']` for a key of the data."
        )
    return None


def _check_const(node: nodes.Const) -> str | None:
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        return "found a number that does not fit a float, expected a smaller one. Change it."
    if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
        return f"found a number of more than {MAX_NUMBER_BITS} bits, expected a smaller one. Change it."
    return None


def _check_filter(node: nodes.Filter) -> str | None:
    name = node.name
    if name not in ALLOWED_FILTERS:
        remedy = _REFUSED_FILTERS.get(name) or _nearest(name, ALLOWED_FILTERS)
        return f"found the filter `{one_line(name)}`, expected one of those allowed. {remedy}"
    if any(keyword.key == "attribute" for keyword in node.kwargs):
        return (
            f"found `{name}(attribute=…)`, expected the filter without it. "
            "Give the field a path such as `sections[].text`."
        )
    if name in FILTERS_BY_NAME:
        return _check_filter_by_name(node)
    return _check_arguments(f"the filter `{name}`", FILTERS[name], node)


def _check_filter_by_name(node: nodes.Filter) -> str | None:
    known = FILTERS if node.name == "map" else TESTS
    if not node.args and node.name != "map":
        return None
    first = node.args[0] if node.args else None
    if not isinstance(first, nodes.Const) or first.value not in known or node.kwargs or node.dyn_args:
        kind = "filter" if node.name == "map" else "test"
        return f"found `{node.name}` without the name of a {kind}, expected one in quotes. Name one."
    return None


def _check_test(node: nodes.Test) -> str | None:
    if node.name not in ALLOWED_TESTS:
        remedy = _nearest(node.name, ALLOWED_TESTS)
        return f"found the test `{one_line(node.name)}`, expected one of those allowed. {remedy}"
    return _check_arguments(f"the test `{node.name}`", TESTS[node.name], node)


def _check_call(node: nodes.Call) -> str | None:
    callee = node.node
    if isinstance(callee, nodes.Getattr):
        if callee.attr in ALLOWED_METHODS:
            return _check_arguments(f"the method `{callee.attr}`", METHODS[callee.attr], node)
        remedy = _nearest(callee.attr, ALLOWED_METHODS)
        return f"found the method `{one_line(callee.attr)}`, expected one of those allowed. {remedy}"
    if isinstance(callee, nodes.Name):
        remedy = _REFUSED_CALLS.get(callee.name, "Use a filter.")
        return f"found a call of `{one_line(callee.name)}`, expected none. {remedy}"
    return "found a call, expected none. Use a filter."


def _nearest(name: str, known: frozenset[str]) -> str:
    # Sorted, because the order of a set differs from run to run.
    return nearest(name, sorted(known)) or f"Use one of {listed(sorted(known))}."


def _check_arguments(what: str, function: Operation, node: Any) -> str | None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return f"found `*` or `**` in the arguments of {what}, expected them written out. Write them out."
    try:
        inspect.signature(function).bind(None, *node.args, **{item.key: item.value for item in node.kwargs})
    except TypeError as error:
        return f"found arguments that {what} does not take ({error}), expected others. Correct them."
    return None


def _check_include(node: nodes.Include) -> str | None:
    if not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
        return "found `include` of a name that is not written out, expected a path in quotes. Write it out."
    if node.ignore_missing or not node.with_context:
        return "found `ignore missing` or `without context`, expected a plain `include`. Remove it."
    return None


def _check_for(node: nodes.For) -> str | None:
    if node.recursive:
        return "found a `recursive` loop, expected a plain one. Write the loops out."
    return None


_CHECKS: dict[type[nodes.Node], Callable[[Any], str | None]] = {
    nodes.Name: _check_name,
    nodes.Getattr: _check_attribute,
    nodes.Const: _check_const,
    nodes.Filter: _check_filter,
    nodes.Test: _check_test,
    nodes.Call: _check_call,
    nodes.Include: _check_include,
    nodes.For: _check_for,
}
