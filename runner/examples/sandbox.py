"""Jinja without what a stranger's template could harm: values are data, and every step is bounded."""

from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, nodes, pass_context
from jinja2.exceptions import TemplateSyntaxError
from jinja2.loaders import BaseLoader
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from runner.display import one_line, shown
from runner.examples.allow_list import LOOP_ATTRIBUTES, Problem, refusals
from runner.examples.filters import FILTERS, Operation
from runner.examples.metering import Meter, SandboxError
from runner.examples.operands import printed
from runner.examples.operations import METHODS, OPERATORS, TESTS, concatenate

# Names that a template's author cannot write: they hold a space.
METER = " meter"
_PRINT = " print"
_EACH = " each"
_CONCAT = " concat"
_METHOD = " method "


class Missing(StrictUndefined):
    """A value that is not there; the message is what a sentence can begin with `found`."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        return f"nothing under the name {shown(self._undefined_name)}"


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """Checks and rewrites each template as it is parsed; the Python attributes of values are out of reach."""

    intercepted_binops = frozenset(OPERATORS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look a name up in the data."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look a key or position up in the data."""
        if isinstance(obj, Undefined):
            raise UndefinedError(obj._undefined_message)
        if isinstance(obj, LoopContext) and argument in LOOP_ATTRIBUTES:
            return getattr(obj, argument)
        is_position = isinstance(argument, int) and not isinstance(argument, bool)
        usable = is_position if isinstance(obj, str | list | tuple) else isinstance(obj, dict)
        try:
            return obj[argument] if usable else self._missing(obj, argument)
        except (LookupError, TypeError):
            return self._missing(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator to the types it is meant for, within bounds."""
        return _apply(context, operator, OPERATORS[operator], (left, right), {})

    def call(self, *_arguments: Any, **_keywords: Any) -> Any:
        """Nothing can be called: methods have become filters by now."""
        raise SandboxError("found a call, expected none. Use a filter.")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for line, sentence in refusals(tree):
            raise TemplateSyntaxError(sentence, line, name, filename)
        return rewrite(tree, self)

    def _missing(self, obj: Any, argument: Any) -> Undefined:
        kind = "an object" if isinstance(obj, dict) else _kind(obj)
        return self.undefined(f"nothing at {shown(argument)} in {kind}")


def make_environment(loader: BaseLoader | None = None) -> SandboxEnvironment:
    """The one environment that templates are rendered in; `loader` finds the files of `include`.

    One newline at the end of a template is no part of the message: a file and a YAML block read alike.
    """
    environment = SandboxEnvironment(
        loader=loader,
        undefined=Missing,
        autoescape=False,
        keep_trailing_newline=False,
        optimized=False,
        auto_reload=False,
    )
    environment.globals.clear()
    environment.filters = {name: _operation(name, function) for name, function in FILTERS.items()}
    environment.filters |= {_METHOD + name: _operation(name, function) for name, function in METHODS.items()}
    environment.filters |= {"map": _map, "select": _select(keep=True), "reject": _select(keep=False)}
    environment.filters |= {_PRINT: _print, _EACH: _each, _CONCAT: _operation("~", concatenate)}
    environment.tests = {name: _operation(name, function) for name, function in TESTS.items()}
    return environment


def parse_expression(environment: SandboxEnvironment, source: str) -> tuple[nodes.Template, list[Problem]]:
    """Read a single expression as a template that stores it under `result`, with what is refused in it.

    Raises jinja2.TemplateSyntaxError.
    """
    parser = Parser(environment, source, state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError("more text after the expression", parser.stream.current.lineno)
    target = nodes.Name("result", "store")
    tree = nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1)
    tree.set_environment(environment)
    return tree, list(refusals(tree))


def rewrite(tree: nodes.Template, environment: SandboxEnvironment) -> nodes.Template:
    """Put the sandbox's own operations in the place of those that Jinja would do unbounded."""
    tree = _Rewriter().visit(tree)
    tree.set_environment(environment)
    return tree


class _Rewriter(NodeTransformer):
    """Methods, `~`, loops and output become filters, so that all of them are bounded and metered."""

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        sources = [_source_of(child) for child in node.nodes]
        self.generic_visit(node)
        node.nodes = [
            child
            if isinstance(child, nodes.TemplateData)
            else _filter(child, _PRINT, [nodes.Const(source, lineno=child.lineno)])
            for child, source in zip(node.nodes, sources, strict=True)
        ]
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filter(node.iter, _EACH, [])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), _CONCAT, [])

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Getattr):
            raise AssertionError("BUG: a call that was not refused")
        return _filter(node.node.node, _METHOD + node.node.attr, node.args, node.kwargs)


def _filter(
    node: Any, name: str, args: list[nodes.Expr], kwargs: list[nodes.Keyword] | None = None
) -> nodes.Filter:
    return nodes.Filter(node, name, args, kwargs or [], None, None, lineno=node.lineno)


def _source_of(node: nodes.Node) -> str:
    """How an expression begins in the template, as far as a message needs it."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_source_of(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{_source_of(node.node)}[{node.arg.value!r}]"
    if isinstance(node, nodes.Filter) and node.node is not None:
        return f"{_source_of(node.node)} | {node.name}"
    return "…"


def _operation(name: str, function: Operation) -> Operation:
    @pass_context
    def apply(context: Context, *arguments: Any, **keywords: Any) -> Any:
        return _apply(context, name, function, arguments, keywords)

    return apply


def _apply(
    context: Context, name: str, function: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    meter: Meter = context[METER]
    try:
        return meter.charge(function(*arguments, **keywords))
    except SandboxError as error:
        raise SandboxError(f"`{name}`: {error}") from error
    except ZeroDivisionError:
        raise SandboxError(
            f"`{name}`: found a division by zero, expected another number. Test for it."
        ) from None
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        reason = one_line(str(error), limit=120)
        raise SandboxError(
            f"`{name}`: found values that do not fit ({reason}), expected others. Change them."
        ) from error


@pass_context
def _print(context: Context, value: Any, source: str) -> str:
    meter: Meter = context[METER]
    text = printed(value, source)
    meter.charge(text)
    return text


@pass_context
def _each(context: Context, value: Any) -> Any:
    if isinstance(value, Undefined):
        raise UndefinedError(value._undefined_message)
    if not isinstance(value, list | tuple | dict):
        raise SandboxError(
            f"found {_kind(value)} in a `for` loop, expected a list. Use a field that holds one."
        )
    meter: Meter = context[METER]
    return meter.charge(value)


@pass_context
def _map(context: Context, value: Any, name: str, *arguments: Any) -> list[Any]:
    return [_apply(context, name, FILTERS[name], (item, *arguments), {}) for item in _each(context, value)]


def _select(*, keep: bool) -> Operation:
    @pass_context
    def select(context: Context, value: Any, name: str | None = None, *arguments: Any) -> list[Any]:
        test = TESTS[name] if name is not None else bool
        items = _each(context, value)
        return [
            item for item in items if bool(_apply(context, name or "", test, (item, *arguments), {})) is keep
        ]

    return select


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    return "a number" if isinstance(value, int | float) else "a list"
