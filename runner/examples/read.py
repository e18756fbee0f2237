"""From a recipe to its training examples, in the order of the sources."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from runner.canonical import sha256_of
from runner.display import shown
from runner.errors import InvalidInputError
from runner.examples.content import Content, Rich, item_of_line, line_of, told_beside, turns_of
from runner.examples.mapping import FieldReader, compile_fields, identity_text, map_record
from runner.examples.paths import PathError, Read, compile_path
from runner.examples.scalars import scalar_text
from runner.examples.seen import SeenKeys
from runner.examples.selection import compile_selectors
from runner.examples.templates import compile_templates
from runner.examples.variants import Templates
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.model import Recipe
from runner.sources.base import Record
from runner.sources.read import read_records

MAX_ISSUES = 1_000

# Told which record is worked on next, None when the next one is being read, and which file that is in.
Watch = Callable[[Record | str | None], None]

# Identity, group, the suppressions that apply and, by variant, what the example says.
Conversations = tuple[str, str | None, tuple[int, ...], list[tuple[str, Content]]]

# Between the name of a variant, which does not have it, and the number of a copy.
COPY_MARK = "#"

# A place in one number: the file's index above, the row below.
_ROW_BITS = 40


class Message(NamedTuple):
    """One message of a conversation; a tuple, because millions are made."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One conversation to train on; `variant` names the template that made it, empty for a single one.

    `key` is the record's identity, `group` the value that keeps records on one side of the split. `ignored`
    are the entries under `checks.ignore` whose `where` is true for the record. `line` is the example as the
    training file says it, where that is more than messages of text. What the templates read, `fields`,
    crosses to another process only where it was asked for.
    """

    key: str
    group: str | None
    variant: str
    messages: tuple[Message, ...]
    file: str
    row: int
    ignored: tuple[int, ...] = ()
    line: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def content(self) -> Content:
        """What it says, as it was made."""
        turns = [(message.role, message.content) for message in self.messages]
        return turns if self.line is None else Rich(self.line, turns)

    @property
    def shown(self) -> tuple[Message, ...]:
        """All that a person wants to see of it: its messages, and by name what stands beside them."""
        beside = told_beside(self.line) if self.line is not None else []
        return (*self.messages, *(Message(name, text) for name, text in beside))

    @property
    def item(self) -> dict[str, Any]:
        """What a grader sees of it beside the messages."""
        return item_of_line(self.line or {})

    @property
    def is_task(self) -> bool:
        """Whether the model is to answer by itself."""
        return self.line is not None and "input" not in self.line and self.messages[-1].role == "user"

    @property
    def is_copy(self) -> bool:
        """Whether it only repeats another example, because of its source's weight."""
        return COPY_MARK in self.variant

    @property
    def identity(self) -> str:
        """What tells the example from all others of the recipe."""
        return f"{self.key}\0{self.variant}" if self.variant else self.key

    @property
    def digest(self) -> str:
        """Hash of what is said; hexadecimal."""
        if self.line is not None:
            return sha256_of(self.line)
        return sha256_of([{"role": item.role, "content": item.content} for item in self.messages])

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return Place(file=self.file, row=self.row)


def read_examples(
    recipe: Recipe,
    folder: Path,
    project: Project,
    *,
    max_issues: int = MAX_ISSUES,
    watch: Watch = lambda _: None,
) -> Iterator[Example | Issue]:
    """Yield the examples of every record, variants in the recipe's order, and an issue for each problem.

    A record with a problem yields no example. Reading stops after `max_issues`.
    """
    n_issues = 0
    for item in _all_items(recipe, folder, project, watch):
        yield item
        n_issues += isinstance(item, Issue)
        if n_issues >= max_issues:
            return


def read_given(
    recipe: Recipe,
    folder: Path,
    project: Project,
    records: Iterable[Record],
    *,
    watch: Watch = lambda _: None,
) -> Iterator[Example | Issue]:
    """As `read_examples`, of these records alone; each stands for itself, so that a key may come again."""
    for record in records:
        try:
            maker = ExampleMaker(recipe, folder, project)
            watch(record)
            yield from maker.items(record)
            watch(None)
        except InvalidInputError as error:
            yield from error.issues


def _all_items(recipe: Recipe, folder: Path, project: Project, watch: Watch) -> Iterator[Example | Issue]:
    try:
        maker = ExampleMaker(recipe, folder, project)
        watch(None)
        selectors = compile_selectors(recipe, folder, project, watch)
        for record in read_records(recipe.sources, folder, project, selectors=selectors, opening=watch):
            watch(record)
            yield from maker.items(record)
            watch(None)
    except InvalidInputError as error:
        yield from error.issues


class ExampleMaker:
    """Makes the examples of one record after the other; remembers the keys it has seen."""

    def __init__(self, recipe: Recipe, folder: Path, project: Project) -> None:
        self.recipe = recipe
        self.templates: Templates = compile_templates(recipe, folder, project)
        self.readers: tuple[FieldReader, ...] = compile_fields(recipe)
        self.read_key: Read | None = compile_path(recipe.key) if recipe.key is not None else None
        self.seen = SeenKeys()
        self.files: dict[str, int] = {}

    def items(self, record: Record) -> list[Example | Issue]:
        """The examples of a record, or its issues."""
        try:
            return list(self._examples(record))
        except InvalidInputError as error:
            return list(error.issues)
        except (MemoryError, RecursionError) as error:
            what = "memory" if isinstance(error, MemoryError) else "nesting"
            message = (
                f"found a record that needs too much {what}, expected less. Simplify the template or data."
            )
            return [Issue(place=record.place, message=message)]

    def conversations(self, record: Record) -> Conversations | None:
        """What a record says, None where `where` leaves it out. Raises InvalidInputError.

        Depends on this record alone: whether another has the same identity is not looked at.
        """
        fields = self._fields(record)
        if fields is None:
            return None
        identity, group = self._identity(fields, record), self._group(fields, record)
        ignored = self.templates.ignored(fields, record)
        rendered = self.templates.render(fields, record)
        return (identity, group, ignored, rendered) if rendered else None

    def _examples(self, record: Record) -> Iterator[Example]:
        fields = self._fields(record)
        if fields is None:
            return
        key, group = self._key(self._identity(fields, record), record), self._group(fields, record)
        ignored = self.templates.ignored(fields, record)
        for variant, content in self.templates.render(fields, record):
            messages = tuple(Message(role, text) for role, text in turns_of(content))
            for copy in range(1, record.copies + 1):
                yield Example(
                    key=key,
                    group=group,
                    variant=variant if copy == 1 else f"{variant}{COPY_MARK}{copy}",
                    messages=messages,
                    file=record.file,
                    row=record.row,
                    ignored=ignored,
                    line=line_of(content),
                    fields=fields,
                )

    def _fields(self, record: Record) -> dict[str, Any] | None:
        fields = map_record(self.readers, record)
        if not isinstance(fields, dict):
            raise InvalidInputError(fields)
        return fields if self.templates.keeps(fields, record) else None

    def _identity(self, fields: dict[str, Any], record: Record) -> str:
        """The declared key, or else a hash of the record."""
        if self.recipe.key is None or self.read_key is None:
            return sha256_of({"fields": fields, "record": record.data})
        try:
            return identity_text(self.read_key(record.data), self.recipe.key, record.data)
        except PathError as error:
            raise _invalid(record, f"key: {error}") from error

    def _key(self, identity: str, record: Record) -> str:
        if self.recipe.key is None:
            return self._numbered(identity)
        before = self.seen.put(identity, self._place_number(record))
        if before:
            raise _invalid(
                record,
                f"key: found {shown(identity)} again, expected each key once. It first stands in "
                f"{self._place(before)}. Remove one, or choose another `key`.",
            )
        return identity

    def _numbered(self, digest: str) -> str:
        times = self.seen.put(digest, 1) + 1
        if times == 1:
            return digest
        self.seen.put(digest, times)
        return f"{digest}#{times}"

    def _group(self, fields: dict[str, Any], record: Record) -> str | None:
        name = self.recipe.split.group_by
        if name is None or fields[name] is None:
            return None
        text = scalar_text(fields[name])
        if text is None:
            message = (
                f"field {shown(name)}: found {shown(fields[name])}, expected text or a number to group by."
            )
            raise _invalid(record, f"{message} Use `join`, or another field.")
        return text

    def _place_number(self, record: Record) -> int:
        index = self.files.setdefault(record.file, len(self.files))
        return (index << _ROW_BITS) + record.row

    def _place(self, number: int) -> Place:
        file = list(self.files)[number >> _ROW_BITS]
        return Place(file=file, row=number & ((1 << _ROW_BITS) - 1))


def _invalid(record: Record, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=record.place, message=message)])
