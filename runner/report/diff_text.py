"""A review as plain text for a terminal; what came from files is neutralised and cut."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from runner.dataset.value import DatasetFile
from runner.display import neutralise, one_line
from runner.examples.read import Message
from runner.price import Price
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.yaml import is_plain_text
from runner.report.terminal import key_text
from runner.review.inline import Piece, inline_diff
from runner.review.value import (
    Change,
    CheckChange,
    ExampleChange,
    ExampleChanges,
    FileChange,
    Hashed,
    ProfileChange,
    Review,
)

Mark = Literal["+", "-", "~", " "]
MARKS: dict[str, Mark] = {"added": "+", "removed": "-", "changed": "~"}

SHOWN_CHANGES = 100
SHOWN_PROBLEMS = 5
_VALUE_CHARACTERS = 160
_LONG_VALUE_CHARACTERS = 30
_MESSAGE_CHARACTERS = 400
_CONTEXT_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list of changes; those with an empty mark continue the line above."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One number before and after; empty where a side does not have it."""

    name: str
    before: str
    after: str


def review_text(review: Review) -> str:
    """The whole review, or one line where nothing changed."""
    if not review.is_changed:
        return f"{title(review)}\nno change"
    blocks = ["\n".join([title(review), *map(_row_text, rows(review))])]
    blocks += [_section_text(section) for section in sections(review)]
    return "\n\n".join(blocks)


def title(review: Review) -> str:
    """What is compared, on one line."""
    name = f"{review.name}: " if review.name else ""
    profile = "" if review.profile == DEFAULT_PROFILE else f" (profile {review.profile})"
    return one_line(f"{name}{review.before.label} → {review.after.label}{profile}", limit=300)


def rows(review: Review) -> list[Row]:
    """Examples, tokens and price before and after."""
    before, after = review.before, review.after
    made = []
    if before.n_records is not None and after.n_records is not None and before.n_records != after.n_records:
        made.append(Row("records", f"{before.n_records:,}", f"{after.n_records:,}"))
    for name, old, new in (
        ("training", before.training_file, after.training_file),
        ("validation", before.validation_file, after.validation_file),
    ):
        if old is not None or new is not None:
            made.append(Row(f"{name} examples", _examples(old), _examples(new)))
            made.append(Row(f"{name} tokens", _tokens(old), _tokens(new)))
    if before.price is not None or after.price is not None:
        made.append(Row("price", _price(before.price), _price(after.price)))
    return made


def sections(review: Review) -> list[Section]:
    """Everything that changed, by kind; kinds without a change are left out."""
    listed = [
        Section("recipe", _listed(change_lines(change) for change in review.changes)),
        Section("other profiles", _listed(_profile_lines(change) for change in review.profiles)),
        Section("files", _listed(_file_lines(change) for change in review.files)),
        _examples_section(review.examples, review.note),
        Section("checks", _listed(_check_lines(check) for check in review.checks)),
        Section("problems", tuple(_problem_lines(review))),
    ]
    return [section for section in listed if section.lines]


def change_lines(change: Change) -> Iterator[Line]:
    """A value that is another: `path: before → after`, long text with its differences marked."""
    mark, path = MARKS[change.kind], one_line(change.path, limit=200)
    old, new = change.before, change.after
    if isinstance(old, Hashed) or isinstance(new, Hashed):
        yield Line(mark, f"{path}: {change.kind}; a lockfile keeps only its hash")
    elif change.kind != "changed":
        yield from _text_lines(mark, f"{path}: {value_text(new if change.kind == 'added' else old)}")
    elif isinstance(old, str) and isinstance(new, str) and _is_long(old, new):
        yield from _text_lines(mark, f"{path}: {marked_text(inline_diff(old, new))}")
    else:
        yield Line(mark, f"{path}: {value_text(old)} → {value_text(new)}")


def _file_lines(change: FileChange) -> Iterator[Line]:
    old, new = change.before, change.after
    name = one_line(change.file.name, limit=200)
    if old is not None and new is not None:
        size = f"{old.size_bytes:,} → {new.size_bytes:,}" if old.size_bytes != new.size_bytes else "as many"
        yield Line("~", f"{name}: other bytes ({size})")
    else:
        yield Line("-" if new is None else "+", f"{name} ({change.file.size_bytes:,} bytes)")


def _profile_lines(change: ProfileChange) -> Iterator[Line]:
    name = one_line(change.name)
    if change.kind != "changed":
        yield Line(MARKS[change.kind], name)
    elif change.paths:
        yield Line("~", one_line(f"{name}: {', '.join(change.paths)}", limit=300))
    else:
        yield Line("~", f"{name}: as above")


def value_text(value: Any) -> str:
    """A value on one line; text in quotes where it would be taken for something else."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return one_line(", ".join(value), limit=_VALUE_CHARACTERS) or "none"
    is_bare = isinstance(value, str) and is_plain_text(value) and value == " ".join(value.split())
    text = value if is_bare else json.dumps(value, ensure_ascii=False, default=str)
    return one_line(text, limit=_VALUE_CHARACTERS)


def conversation_lines(change: ExampleChange) -> Iterator[Line]:
    """A conversation with what differs in it, after a line that names its record."""
    mark: Mark = "~" if change.before and change.after else "+" if change.after else "-"
    yield Line(mark, headline(change))
    for before, after in message_pairs(change):
        if before is None or after is None:
            message = before or after
            if message is not None:
                text = f"{_role(message)}: {cut(message.content, _MESSAGE_CHARACTERS)}"
                yield from _text_lines("-" if after is None else "+", text, "  ")
        elif before == after:
            yield from _text_lines(
                " ", f"{_role(after)}: {cut(after.content, 2 * _CONTEXT_CHARACTERS)}", "  "
            )
        else:
            role = _role(after) if before.role == after.role else f"{_role(before)} → {_role(after)}"
            text = marked_text(shortened(inline_diff(before.content, after.content)))
            yield from _text_lines("~", f"{role}: {text}", "  ")


def headline(change: ExampleChange) -> str:
    """Where a conversation's record stands, its key, and the side of the split where that is news."""
    example = change.example
    variant = f", {example.variant}" if example.variant else ""
    moved = ""
    if change.side_before and change.side_after and change.side_before != change.side_after:
        moved = f", {change.side_before} → {change.side_after}"
    if not example.file:
        return f"a record that the lockfile does not name{moved}"
    where = f"{one_line(example.file, limit=200)}: row {example.row}"
    return f"{where}, key {key_text(example.key)}{one_line(variant)}{moved}"


def message_pairs(change: ExampleChange) -> Iterator[tuple[Message | None, Message | None]]:
    """The messages of both sides by their number."""
    before, after = (example.shown if example else () for example in (change.before, change.after))
    yield from zip_longest(before, after)


def shortened(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with long stretches left out: of what stayed only what stands beside a change."""
    made = []
    for index, piece in enumerate(pieces):
        if piece.kind == "same":
            text = _context(piece.text, has_left=index > 0, has_right=index + 1 < len(pieces))
        else:
            text = cut(piece.text, _MESSAGE_CHARACTERS)
        made.append(Piece(piece.kind, text))
    return made


def marked_text(pieces: Iterable[Piece]) -> str:
    """The pieces as git's word diff writes them: `[-gone-]{+come+}`."""
    marks = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    return "".join(f"{marks[piece.kind][0]}{piece.text}{marks[piece.kind][1]}" for piece in pieces)


def cut(text: str, limit: int) -> str:
    """The beginning of a text, and how long it is where that is not all."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def counts_text(examples: ExampleChanges) -> str:
    """How many conversations differ, in words."""
    counts = (
        (examples.n_changed, "changed"),
        (examples.n_added, "added"),
        (examples.n_removed, "removed"),
        (examples.n_moved, "on the other side of the split"),
    )
    parts = [f"{count:,} {word}" for count, word in counts if count]
    return ", ".join(parts) or "the same in another order"


def example_groups(examples: ExampleChanges) -> list[tuple[str, int, tuple[ExampleChange, ...]]]:
    """The kinds of change with their number and the first few, those without a change left out."""
    groups = [
        ("changed", examples.n_changed, examples.changed),
        ("added", examples.n_added, examples.added),
        ("removed", examples.n_removed, examples.removed),
        ("on the other side of the split", examples.n_moved, examples.moved),
    ]
    return [group for group in groups if group[1]]


def _row_text(row: Row) -> str:
    return f"  {row.name}: {row.before if row.before == row.after else f'{row.before} → {row.after}'}"


def _section_text(section: Section) -> str:
    return "\n".join([section.title, *(f"  {line.mark} {line.text}".rstrip() for line in section.lines)])


def _listed(changes: Iterable[Iterable[Line]]) -> tuple[Line, ...]:
    listed = list(changes)
    lines = [line for change in listed[:SHOWN_CHANGES] for line in change]
    more = len(listed) - SHOWN_CHANGES
    return (*lines, Line(" ", f"… and {more:,} more")) if more > 0 else tuple(lines)


def _examples_section(examples: ExampleChanges | None, note: str | None) -> Section:
    if not examples:
        return Section("conversations", (Line("~", note),) if note else ())
    lines = []
    for word, count, changes in example_groups(examples):
        lines += [line for change in changes for line in _group_lines(word, change)]
        if count > len(changes):
            lines.append(Line(" ", f"… and {count - len(changes):,} more {word}"))
    lines = lines or [Line("~", "every conversation is as before")]
    return Section(f"conversations: {counts_text(examples)}", tuple(lines))


def _group_lines(word: str, change: ExampleChange) -> Iterator[Line]:
    is_moved = word.startswith("on ")
    return iter([Line("~", headline(change))]) if is_moved else conversation_lines(change)


def _check_lines(check: CheckChange) -> Iterator[Line]:
    finding = check.finding
    head = f"{finding.severity.value} {finding.code}"
    if check.before and check.after:
        yield Line("~", one_line(f"{head}: {check.before.count:,} → {check.after.count:,} times", limit=300))
    else:
        times = f", {finding.count:,} times" if finding.count > 1 else ""
        places = "; ".join(map(str, finding.places))
        where = f" ({places}{times})" if places else ""
        yield Line("+" if check.after else "-", one_line(f"{head}: {finding.message}{where}", limit=400))


def _problem_lines(review: Review) -> Iterator[Line]:
    mark: Mark
    for mark, issues in (("+", review.problems_gained), ("-", review.problems_lost)):
        yield from (Line(mark, one_line(str(issue), limit=400)) for issue in issues[:SHOWN_PROBLEMS])
        if len(issues) > SHOWN_PROBLEMS:
            yield Line(" ", f"… and {len(issues) - SHOWN_PROBLEMS:,} more")


def _text_lines(mark: Mark, text: str, indent: str = "") -> Iterator[Line]:
    """Text of several lines; each begins with the mark, so that none can pass for a line of ours."""
    first, *rest = neutralise(text).replace("\t", "    ").split("\n")
    yield Line(mark, f"{indent}{first}")
    yield from (Line(mark, f"{indent}    {line}") for line in rest)


def _is_long(*texts: str) -> bool:
    return any(len(text) > _LONG_VALUE_CHARACTERS or "\n" in text for text in texts)


def _role(message: Message) -> str:
    return one_line(message.role, limit=40)


def _context(text: str, *, has_left: bool, has_right: bool) -> str:
    keep = _CONTEXT_CHARACTERS
    if len(text) <= 2 * keep + 1:
        return text
    left, right = text[:keep] if has_left else "", text[-keep:] if has_right else ""
    return f"{left}…{right}"


def _examples(file: DatasetFile | None) -> str:
    return f"{file.n_examples:,}" if file else "none"


def _tokens(file: DatasetFile | None) -> str:
    if file is None:
        return "none"
    return f"{'' if file.tokens_exact else 'about '}{file.n_tokens:,}"


def _price(price: Price | None) -> str:
    if price is None:
        return "not stated"
    return price.amount
