"""Lines of bounded length, so that a file without line breaks does not fill the memory."""

from collections.abc import Iterator
from typing import TextIO

from runner.errors import InvalidInputError
from runner.issues import Issue, Place

MAX_LINE_CHARACTERS = 1 << 24


def bounded_lines(stream: TextIO, file: str, *, max_characters: int = MAX_LINE_CHARACTERS) -> Iterator[str]:
    """Yield lines with their ends, as the stream splits them; raises InvalidInputError for a longer one."""
    number = 0
    while line := stream.readline(max_characters + 1):
        number += 1
        if len(line) > max_characters:
            message = (
                f"found a line of more than {max_characters} characters, expected one record per line. "
                "Split it, or set `format`."
            )
            raise InvalidInputError([Issue(place=Place(file=file, line=number), message=message)])
        yield line
