"""A review as a pull request's comment: numbers in a table, everything that came from files inside fences."""

import re
from collections.abc import Iterable, Iterator

from runner.report.diff_text import Line, Row, Section, rows, sections, title
from runner.review.value import Review

# GitHub takes 65,536 characters in a comment. https://github.com/orgs/community/discussions/41331 (2022-12)
MAX_CHARACTERS = 63_000
# Shares of that, so that no kind of change crowds out another; the rest is for headings and the table.
_SECTION_CHARACTERS = {"conversations": 28_000, "recipe": 14_000}
_OTHER_CHARACTERS = 4_500
_TITLE_CHARACTERS = 1_000
_LINE_CHARACTERS = 2_000

_BACKTICKS = re.compile("`+")
_SAFE_NAME = re.compile(r"[a-z0-9-]+")
# GitHub colours a fence of this language by the first character of each line.
_MARKS = {"~": "!"}


def review_markdown(review: Review) -> str:
    """The whole review, at most MAX_CHARACTERS long."""
    name = review.name if _SAFE_NAME.fullmatch(review.name) else "lockfile"
    parts = [
        # Whoever posts it finds its own earlier comment by this line and replaces it.
        f"<!-- finetune diff {name} {_marker(review.profile)} -->",
        f"### What would train differently: `{name}`",
        fence([title(review)], "text", _TITLE_CHARACTERS),
        _table(rows(review)),
        *(_section(section) for section in sections(review)),
    ]
    text = "\n\n".join(part for part in parts if part)
    if len(text) > MAX_CHARACTERS:
        raise AssertionError("BUG: the sections are larger than their shares")
    return text


def changes_markdown(review: Review, limit: int) -> str:
    """The tables and sections of a review, each at most `limit` characters long, for a larger comment."""
    made = [
        f"**{section.title}**\n\n{fence(map(_line, section.lines), 'diff', limit // 4)}"
        for section in sections(review)
    ]
    return "\n\n".join(part for part in [_table(rows(review)), *made] if part)


def _marker(profile: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", profile)


def _table(listed: Iterable[Row]) -> str:
    made = [f"| {row.name} | {row.before} | {row.after} |" for row in listed]
    return "\n".join(["| | before | after |", "|---|--:|--:|", *made]) if made else ""


def _section(section: Section) -> str:
    kind = section.title.partition(":")[0]
    limit = _SECTION_CHARACTERS.get(kind, _OTHER_CHARACTERS)
    return f"**{section.title}**\n\n{fence(map(_line, section.lines), 'diff', limit)}"


def _line(line: Line) -> str:
    return f"{_MARKS.get(line.mark, line.mark)} {line.text}".rstrip()


def fence(lines: Iterable[str], language: str, limit: int) -> str:
    """Lines as a block of code that none of them can close, at most `limit` characters long."""
    short = [line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]}…" for line in lines]
    longest = max((len(run) for line in short for run in _BACKTICKS.findall(line)), default=0)
    # A line of the content cannot close a fence that is longer than any of its own.
    fence = "`" * max(3, longest + 1)
    content = "\n".join(_within(short, limit - 2 * len(fence)))
    return f"{fence}{language}\n{content}\n{fence}"


def _within(lines: Iterable[str], limit: int) -> Iterator[str]:
    for line in lines:
        limit -= len(line) + 1
        if limit < 0:
            yield "… the rest is left out here; `finetune diff` shows it"
            return
        yield line
