"""Run a compiled template within its bounds, and explain what stops it."""

from typing import Any

from jinja2 import Template, UndefinedError
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context

from runner.display import one_line
from runner.examples.metering import Meter, SandboxError, check_length
from runner.examples.sandbox import METER, SandboxEnvironment

RESULT = "result"

_FAULTS = (JinjaError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


def make_context(environment: SandboxEnvironment, fields: dict[str, Any]) -> Context:
    """One context serves all messages of a record: making it costs more than rendering does."""
    return environment.context_class(environment, {**fields, METER: Meter()}, None, {})


def render_text(template: Template, context: Context) -> str:
    """The text of one message. Raises SandboxError."""
    pieces: list[str] = []
    size = 0
    context.parent[METER] = Meter()
    try:
        for piece in template.root_render_func(context):
            size += len(piece)
            check_length(size)
            pieces.append(piece)
    except _FAULTS as error:
        raise _explained(error) from error.__cause__
    finally:
        # A `set` in one message has no meaning in the next.
        context.vars.clear()
        context.exported_vars.clear()
    return _whole("".join(pieces))


def evaluate(template: Template, context: Context) -> Any:
    """The value of an expression, which its template stores under RESULT. Raises SandboxError."""
    try:
        for _ in template.root_render_func(context):
            pass
        return context.vars[RESULT]
    except _FAULTS as error:
        raise _explained(error) from error.__cause__


def _whole(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise SandboxError("found half of a surrogate pair, expected whole characters. Repair it.") from None
    return text


def _explained(error: Exception) -> SandboxError:
    if isinstance(error, SandboxError):
        return error
    if isinstance(error, UndefinedError):
        return SandboxError(
            f"found {error.message}, expected a value. Test it with `is defined`, or give a `default`."
        )
    reason = one_line(str(error), limit=120)
    return SandboxError(f"found values that do not fit ({reason}), expected others. Change them.")
