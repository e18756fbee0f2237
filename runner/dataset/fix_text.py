"""Safe repairs of the text of a data file: characters alone, never a delimiter, a quote or a row."""

import json
import re
from collections.abc import Callable

from runner.dataset.checks.characters import ZERO_WIDTH, composed

Change = Callable[[str], str]

CODES = ("FT201", "FT203", "FT205")
# JSON has backslashes in strings alone: characters by number, other escapes, and text between them.
_TOKEN = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)|(\\r(?:\\n)?)|\\.|([^\\]+)", re.DOTALL)
_RETURN = re.compile("\r\n?")


def fixed_text(text: str, form: str, codes: set[str]) -> str:
    """A file's text with what these checks find repaired; `form` is json, jsonl, csv or tsv.

    A byte order mark at the start belongs to the encoding and stays. Applying it again changes nothing.
    """

    def change(part: str) -> str:
        part = ZERO_WIDTH.sub("", part) if "FT203" in codes else part
        return composed(part) if "FT201" in codes else part

    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    if form in ("json", "jsonl"):
        return mark + _TOKEN.sub(lambda match: _token(match, change, returns="FT205" in codes), body)
    return mark + change(_in_cells(body) if "FT205" in codes else body)


def _token(match: re.Match[str], change: Change, *, returns: bool) -> str:
    numbered, carriage_return, plain = match.groups()
    if plain is not None:
        return change(plain)
    if numbered is not None:
        text = json.loads(f'"{numbered}"')
        changed = change(text)
        return match.group() if changed == text else json.dumps(changed)[1:-1]
    return r"\n" if carriage_return and returns else match.group()


def _in_cells(text: str) -> str:
    """Line feeds inside quoted cells alone: between rows a carriage return is the file's own."""
    parts = text.split('"')
    # A doubled quote opens and closes an empty part, so the odd parts are what stands in quotes.
    return '"'.join(_RETURN.sub("\n", part) if index % 2 else part for index, part in enumerate(parts))
