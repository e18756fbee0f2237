"""Lines of bounded length, so that a file without line breaks does not fill the memory."""

from collections.abc import Iterator
from typing import TextIO

from runner.errors import InvalidInputError
from runner.issues import Issue, Place

MAX_LINE_CHARACTERS = 1 << 24
MAX_EMPTY_LINES = 1_000_000


def bounded_lines(stream: TextIO, file: str, *, max_characters: int = MAX_LINE_CHARACTERS) -> Iterator[str]:
    """Yield lines with their ends, as the stream splits them.

    Raises InvalidInputError for a longer one, and for very many empty ones in a row.
    """
    number = n_empty = 0
    while line := stream.readline(max_characters + 1):
        number += 1
        if len(line) > max_characters:
            message = (
                f"found a line of more than {max_characters} characters, expected one record per line. "
                "Split it, or set `format`."
            )
            raise InvalidInputError([Issue(place=Place(file=file, line=number), message=message)])
        n_empty = n_empty + 1 if line.isspace() else 0
        if n_empty > MAX_EMPTY_LINES:
            message = f"found more than {MAX_EMPTY_LINES} empty lines in a row, expected data. Remove them."
            raise InvalidInputError([Issue(place=Place(file=file, line=number), message=message)])
        yield line
