"""The names that the columns of a table have."""

from collections.abc import Iterator, Sequence
from itertools import islice

from runner.display import shown
from runner.errors import InvalidInputError
from runner.issues import Issue, Place

_MAX_ISSUES = 100


def check_header(names: Sequence[str], file: str) -> None:
    """Raise InvalidInputError for names that are empty or stand twice, the first hundred of them."""
    issues = [Issue(place=Place(file=file), message=text) for text in islice(_problems(names), _MAX_ISSUES)]
    if issues:
        raise InvalidInputError(issues)


def _problems(names: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for column, name in enumerate(names, start=1):
        if "\0" in name:
            yield f"found the character U+0000 in column {column} of the header, expected text. Remove it."
        elif not name:
            yield f"found no name in column {column} of the header, expected one. Name it, or remove it."
        elif name in seen:
            yield f"found the column {shown(name)} twice in the header, expected each once. Rename one."
        seen.add(name)
