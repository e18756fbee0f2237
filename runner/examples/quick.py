"""Compile simple templates and expressions to Python functions that give what the sandbox gives, or give up.

Only what succeeds has to be equal: a function that meets anything unusual raises Doubt, and the sandbox
renders the record instead, with its own bounds and messages. Values and operations are kept so few and so
small that no meter of the sandbox could have run out.
"""

import operator
from collections.abc import Callable
from typing import Any

from jinja2 import TemplateError, Undefined, nodes

from runner.examples.filters import FILTERS
from runner.examples.metering import MAX_MESSAGE_CHARACTERS
from runner.examples.operands import printed
from runner.examples.operations import METHODS, OPERATORS, TESTS, concatenate

Fields = dict[str, Any]
Evaluate = Callable[[Fields], Any]
Render = Callable[[Fields], str]

# 64 operations on such values stay below metering.MAX_WORK_CHARACTERS, MAX_ITEMS and MAX_NUMBER_BITS.
MAX_OPERATIONS = 64
MAX_CHARACTERS = 1 << 17
MAX_ITEMS = 1_000
MAX_INTEGER = 1 << 64


class Doubt(Exception):  # noqa: N818
    """The sandbox has to look at it."""


# Raised by a function that leaves a record to the sandbox.
DOUBTS = (Doubt, TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_BINARY: dict[type[nodes.Node], str] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
}


class _NotSimple(Exception):  # noqa: N818
    """The template needs the sandbox for every record."""


def quick_render(tree: nodes.Template, fields: frozenset[str]) -> Render | None:
    """A function from the fields to the text of a template, None for a template that is not simple.

    `tree` is as parsed and free of `allow_list.refusals`. The function raises one of DOUBTS.
    """
    try:
        return _Compiler(fields).body(tree.body)
    except _NotSimple:
        return None


def quick_value(expression: nodes.Expr, fields: frozenset[str]) -> Evaluate | None:
    """A function from the fields to the value of an expression, None for one that is not simple.

    The function raises one of DOUBTS.
    """
    try:
        return _Compiler(fields).expression(expression)
    except _NotSimple:
        return None


class _Compiler:
    """Makes a function for every node, and counts them."""

    def __init__(self, fields: frozenset[str]) -> None:
        self.fields = fields
        self.n_operations = 0

    def body(self, statements: list[nodes.Node]) -> Render:
        pieces: list[str | Render] = []
        parts: list[nodes.Node] = []
        for statement in statements:
            if isinstance(statement, nodes.Output):
                pieces += [self.piece(node) for node in statement.nodes]
                parts += statement.nodes
            elif isinstance(statement, nodes.If):
                pieces.append(self.branches(statement))
                parts.append(statement)
            else:
                raise _NotSimple
        filled = _filled(parts)
        if filled is not None:
            return filled

        def join(values: Fields) -> str:
            text = "".join([piece if isinstance(piece, str) else piece(values) for piece in pieces])
            if len(text) > MAX_MESSAGE_CHARACTERS:
                raise Doubt
            return text

        return join

    def piece(self, node: nodes.Node) -> str | Render:
        if isinstance(node, nodes.TemplateData):
            return str(_whole(node.data))
        compute = self.expression(node)

        def text(values: Fields) -> str:
            value = compute(values)
            # The source is only named in messages, which are the sandbox's.
            return value if value.__class__ is str else _small(printed(value, ""))

        return text

    def branches(self, node: nodes.If) -> Render:
        tests = [(self.expression(item.test), self.body(item.body)) for item in (node, *node.elif_)]
        otherwise = self.body(node.else_)

        def text(values: Fields) -> str:
            for test, body in tests:
                if test(values):
                    return body(values)
            return otherwise(values)

        return text

    def expression(self, node: nodes.Node) -> Evaluate:
        self.n_operations += 1
        make = _EXPRESSIONS.get(type(node))
        if make is None or self.n_operations > MAX_OPERATIONS:
            raise _NotSimple
        return make(self, node)

    def name(self, node: nodes.Name) -> Evaluate:
        name = node.name
        if name not in self.fields:
            raise _NotSimple
        return lambda values: _small(values[name])

    def const(self, node: nodes.Const) -> Evaluate:
        value = _small(_whole(node.value))
        return lambda _: value

    def attribute(self, node: nodes.Getattr) -> Evaluate:
        return _item_of(self.expression(node.node), node.attr)

    def item(self, node: nodes.Getitem) -> Evaluate:
        if not isinstance(node.arg, nodes.Const):
            raise _NotSimple
        return _item_of(self.expression(node.node), _whole(node.arg.value))

    def filter(self, node: nodes.Filter) -> Evaluate:
        if node.name not in FILTERS or node.node is None:
            raise _NotSimple
        return self.operation(FILTERS[node.name], node.node, node)

    def test(self, node: nodes.Test) -> Evaluate:
        return self.operation(TESTS[node.name], node.node, node)

    def method(self, node: nodes.Call) -> Evaluate:
        if not isinstance(node.node, nodes.Getattr):
            raise _NotSimple
        return self.operation(METHODS[node.node.attr], node.node.node, node)

    def operation(self, function: Callable[..., Any], subject: nodes.Node, node: Any) -> Evaluate:
        compute = self.expression(subject)
        arguments = [self.constant(argument) for argument in node.args]
        keywords = {item.key: self.constant(item.value) for item in node.kwargs}
        if not arguments and not keywords:
            return lambda values: _small(function(compute(values)))
        return lambda values: _small(function(compute(values), *arguments, **keywords))

    def constant(self, node: nodes.Node) -> Any:
        if not isinstance(node, nodes.Const):
            raise _NotSimple
        return _small(_whole(node.value))

    def concat(self, node: nodes.Concat) -> Evaluate:
        parts = [self.expression(part) for part in node.nodes]
        return lambda values: _small(concatenate([part(values) for part in parts]))

    def binary(self, node: nodes.BinExpr) -> Evaluate:
        function = OPERATORS[_BINARY[type(node)]]
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda values: _small(function(left(values), right(values)))

    def compare(self, node: nodes.Compare) -> Evaluate:
        if len(node.ops) != 1:
            raise _NotSimple
        function = _COMPARISONS[node.ops[0].op]
        left, right = self.expression(node.expr), self.expression(node.ops[0].expr)
        if isinstance(node.ops[0].expr, nodes.Const):
            value = right({})
            return lambda values: function(left(values), value)
        return lambda values: function(left(values), right(values))

    def both(self, node: nodes.And) -> Evaluate:
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda values: left(values) and right(values)

    def either(self, node: nodes.Or) -> Evaluate:
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda values: left(values) or right(values)

    def negation(self, node: nodes.Not) -> Evaluate:
        inner = self.expression(node.node)
        return lambda values: not inner(values)

    def choice(self, node: nodes.CondExpr) -> Evaluate:
        if node.expr2 is None:
            raise _NotSimple
        test, first, second = (self.expression(part) for part in (node.test, node.expr1, node.expr2))
        return lambda values: first(values) if test(values) else second(values)


_EXPRESSIONS: dict[type[nodes.Node], Callable[[_Compiler, Any], Evaluate]] = {
    **dict.fromkeys(_BINARY, _Compiler.binary),
    nodes.Name: _Compiler.name,
    nodes.Const: _Compiler.const,
    nodes.Getattr: _Compiler.attribute,
    nodes.Getitem: _Compiler.item,
    nodes.Filter: _Compiler.filter,
    nodes.Test: _Compiler.test,
    nodes.Call: _Compiler.method,
    nodes.Concat: _Compiler.concat,
    nodes.Compare: _Compiler.compare,
    nodes.And: _Compiler.both,
    nodes.Or: _Compiler.either,
    nodes.Not: _Compiler.negation,
    nodes.CondExpr: _Compiler.choice,
}


def _filled(parts: list[Any]) -> Render | None:
    """A text with the values of a few fields in it, the commonest template, as one function."""
    if not all(isinstance(part, nodes.TemplateData | nodes.Name) for part in parts):
        return None
    names = [part.name for part in parts if isinstance(part, nodes.Name)]
    text = "".join("%s" if isinstance(part, nodes.Name) else part.data.replace("%", "%%") for part in parts)

    def fill(values: Fields) -> str:
        found = [values[name] for name in names]
        for value in found:
            if value.__class__ is not str or len(value) > MAX_CHARACTERS:
                return text % tuple(_small(printed(_small(value), "")) for value in found)
        return text % tuple(found)

    if len(text) + len(names) * MAX_CHARACTERS > MAX_MESSAGE_CHARACTERS:
        return None
    return _around(parts, fill) if len(names) == 1 else fill


def _around(parts: list[Any], fill: Render) -> Render:
    """As `fill`, of the text around a single field; leaves to `fill` what is not a usual text."""
    at = next(index for index, part in enumerate(parts) if isinstance(part, nodes.Name))
    name = parts[at].name
    before, after = ("".join([part.data for part in some]) for some in (parts[:at], parts[at + 1 :]))

    def join(values: Fields) -> str:
        value = values[name]
        if value.__class__ is str and len(value) <= MAX_CHARACTERS:
            return f"{before}{value}{after}"
        return fill(values)

    return join


def _item_of(compute: Evaluate, key: Any) -> Evaluate:
    is_position = isinstance(key, int) and not isinstance(key, bool)

    def get(values: Fields) -> Any:
        value = compute(values)
        usable = is_position if isinstance(value, str | list | tuple) else isinstance(value, dict)
        if not usable:
            raise Doubt
        return _small(value[key])

    return get


def _small(value: Any) -> Any:
    """Let through what is far from every bound, and defined."""
    kind = value.__class__
    if kind is str:
        if len(value) > MAX_CHARACTERS:
            raise Doubt
    elif kind is int:
        if not -MAX_INTEGER < value < MAX_INTEGER:
            raise Doubt
    elif kind is list or kind is tuple or kind is dict:
        if len(value) > MAX_ITEMS:
            raise Doubt
    elif isinstance(value, Undefined):
        raise Doubt
    return value


def _whole(value: Any) -> Any:
    """Refuse a constant that cannot be written as UTF-8: the sandbox says so for every record."""
    try:
        str(value).encode("utf-8")
    except UnicodeEncodeError:
        raise _NotSimple from None
    return value
