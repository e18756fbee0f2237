"""A review as one page that needs nothing else: no script, no request, every text escaped."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape

from runner.display import neutralise
from runner.examples.read import Message
from runner.report.diff_text import (
    Line,
    Row,
    Section,
    counts_text,
    example_groups,
    headline,
    message_pairs,
    rows,
    sections,
    title,
)
from runner.review.inline import Piece, inline_diff
from runner.review.value import ExampleChange, ExampleChanges, Review

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --quiet: #59636e; --gone: #ffd7d5; --come: #d1f8d9; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --quiet: #9198a1; --gone: #67060c; --come: #033a16; }
}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .3rem .7rem; }
td { text-align: right; } tbody th { text-align: left; font-weight: normal; }
pre, article { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; overflow-x: auto; }
article p { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
article header, .role { color: var(--quiet); }
ins { background: var(--come); } del { background: var(--gone); }
"""


def review_html(review: Review) -> str:
    """The page; it says so where nothing changed."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = _text(title(review))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{head}</title>",
            f"<style>{_STYLE}</style>",
            f"<h1>{head}</h1>",
            changes_html(review),
            "</html>",
        ]
    )


def changes_html(review: Review, *, level: int = 2) -> str:
    """What changed, for a page that has headings above this level."""
    return "\n".join(_body(review, level))


def _body(review: Review, level: int) -> Iterator[str]:
    yield _table(rows(review))
    if not review.is_changed:
        yield "<p>No change.</p>"
        return
    for section in sections(review):
        if section.title.startswith("conversations") and review.examples:
            yield from _conversations(review.examples, level)
        else:
            yield f"<h{level}>{_text(section.title)}</h{level}>\n{_lines(section)}"


def _table(listed: Iterable[Row]) -> str:
    made = [
        f'<tr><th scope="row">{_text(row.name)}</th>'
        f"<td>{_text(row.before)}</td><td>{_text(row.after)}</td></tr>"
        for row in listed
    ]
    head = '<thead><tr><th></th><th scope="col">before</th><th scope="col">after</th></tr></thead>'
    return "\n".join(["<table>", head, "<tbody>", *made, "</tbody>", "</table>"])


def _lines(section: Section) -> str:
    return "<pre>" + "\n".join(_line(line) for line in section.lines) + "</pre>"


def _line(line: Line) -> str:
    text = _text(f"{line.mark} {line.text}".rstrip())
    tag = {"+": "ins", "-": "del"}.get(line.mark)
    return f"<{tag}>{text}</{tag}>" if tag else text


def _conversations(examples: ExampleChanges, level: int) -> Iterator[str]:
    yield f"<h{level}>conversations: {_text(counts_text(examples))}</h{level}>"
    for word, count, changes in example_groups(examples):
        yield f"<h{level + 1}>{count:,} {word}</h{level + 1}>"
        yield from (_conversation(change, is_moved=word.startswith("on ")) for change in changes)
        if count > len(changes):
            yield f"<p>… and {count - len(changes):,} more</p>"


def _conversation(change: ExampleChange, *, is_moved: bool) -> str:
    pairs = () if is_moved else message_pairs(change)
    return "\n".join(
        [
            "<article>",
            f"<header>{_text(headline(change))}</header>",
            *(_message(before, after) for before, after in pairs),
            "</article>",
        ]
    )


def _message(before: Message | None, after: Message | None) -> str:
    roles = dict.fromkeys(message.role for message in (before, after) if message)
    pieces = inline_diff(before.content if before else "", after.content if after else "")
    role = _text(" → ".join(roles))
    return f'<p><span class="role">{role}:</span> {"".join(map(_piece, pieces))}</p>'


def _piece(piece: Piece) -> str:
    text = _text(piece.text)
    tag = {"added": "ins", "removed": "del"}.get(piece.kind)
    return f"<{tag}>{text}</{tag}>" if tag else text


def _text(text: str) -> str:
    return escape(neutralise(text))
