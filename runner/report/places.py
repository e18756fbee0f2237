"""Where a record stands, for tools that know files and lines."""

# A row of these files is a line; elsewhere a record may span lines, and only its number is known.
_LINE_SUFFIXES = (".jsonl", ".ndjson")


def line_of(file: str, row: int) -> int | None:
    """The line of a record, None where its row does not tell."""
    return row if file.lower().endswith(_LINE_SUFFIXES) else None
