"""Values that must not be seen, made into something that can be found again."""

import re

_KEPT = 2
_SHOWN = 20


def masked(value: str) -> str:
    """The first two characters and the shape of the rest: `sk-a…` becomes `sk-*…`, at most 20 characters."""
    hidden = value[:_KEPT] + re.sub(r"\w", "*", value[_KEPT:_SHOWN])
    return hidden if len(value) <= _SHOWN else f"{hidden}…"
