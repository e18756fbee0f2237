"""Signs of word processors inside template expressions, named with the sign that was meant."""

import re

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TOKEN_WHITESPACE

from runner.examples.allow_list import Problem
from runner.hints import LOOKALIKES

_UNEXPECTED = re.compile("unexpected char '(.)'")


def lookalike_problems(environment: Environment, source: str, state: str | None = None) -> list[Problem]:
    """The first such sign with its line, none in a template whose text alone has them.

    `state` is that of Jinja's lexer at the start: `variable` for an expression without braces.
    """
    try:
        for line, kind, text in environment.lexer.tokeniter(source, None, None, state):
            # Jinja takes any space for one, where people and other tools see part of a name.
            odd = re.search(r"[^\x00-\x7f]", text) if kind == TOKEN_WHITESPACE else None
            if odd:
                return [(line, _sentence(odd.group(), "a space"))]
    except TemplateSyntaxError as error:
        found = _UNEXPECTED.match(error.message or "")
        if found and found[1] in LOOKALIKES:
            return [(error.lineno, _sentence(found[1], LOOKALIKES[found[1]]))]
    return []


def _sentence(found: str, meant: str) -> str:
    name = f"U+{ord(found):04X}" if found.isspace() else f"{found} (U+{ord(found):04X})"
    return f"found {name} in an expression, expected {meant}. Type it again in a plain text editor."
