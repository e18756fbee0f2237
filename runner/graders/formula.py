"""Calculates formulas over scores: arithmetic and nothing else."""

import ast
import math
import operator
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_CHARACTERS = 1000
# OpenAI's document only says "a formula"; this is the set we take it to mean, with `^` for a power.
BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
SEVERAL_ARGUMENTS = ("min", "max")


class FormulaError(ValueError):
    """A formula is not arithmetic over known names; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read; `names` are the scores it uses."""

    tree: ast.expr
    names: frozenset[str]

    def value(self, scores: Mapping[str, float]) -> float:
        """Calculate. Raises FormulaError where there is no finite result."""
        known = {unicodedata.normalize("NFKC", name): float(score) for name, score in scores.items()}
        try:
            result = float(_value(self.tree, known))
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"the formula has no value here: {error}") from error
        if not math.isfinite(result):
            raise FormulaError(f"the formula has no value here: it is {result}")
        return result


def read_formula(text: str) -> Formula:
    """Read a formula of numbers, names, `+ - * / ^`, brackets and FUNCTIONS. Raises FormulaError."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MAX_CHARACTERS} are allowed")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        return Formula(tree, frozenset(_names(tree)))
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = str(error) if isinstance(error, FormulaError) else "it is not arithmetic"
        raise FormulaError(f"the formula '{text[:80]}' cannot be read: {reason}") from error


def _names(node: ast.expr) -> list[str]:
    """Check a formula and list the scores in it."""
    match node:
        case ast.Constant(value=bool()):
            raise FormulaError("True and False are no numbers")
        case ast.Constant(value=int() | float()):
            return []
        case ast.Name(id=name):
            return [name]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _names(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return _names(left) + _names(right)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            if not arguments or (len(arguments) > 1 and name not in SEVERAL_ARGUMENTS):
                raise FormulaError(f"{name} takes {'numbers' if name in SEVERAL_ARGUMENTS else 'one number'}")
            return [found for argument in arguments for found in _names(argument)]
    raise FormulaError(
        f"'{ast.unparse(node)[:40]}' is not a number, a score or one of {', '.join(FUNCTIONS)}"
    )


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return scores[name]
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, scores)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return BINARY[type(op)](_value(left, scores), _value(right, scores))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            values = [_value(argument, scores) for argument in arguments]
            return FUNCTIONS[name](values) if name in SEVERAL_ARGUMENTS else FUNCTIONS[name](*values)
    raise AssertionError("BUG: a formula was calculated that was not checked")
