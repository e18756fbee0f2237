"""The one way a recipe is laid out: keys in the schema's order, one value per line, comments kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from runner.canonical import canonical_json
from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.recipe.written import BLANK, Collection, Entry, Text, Written, comments_of, read_written
from runner.recipe.yaml import Document, parse_yaml
from runner.schema import Violation, load_schema, violations

_INDENT = 2
_Schema = Mapping[str, Any]


def format_recipe(content: bytes, file: str) -> bytes:
    """Lay out a recipe, or one that others extend; `file` is its name in messages.

    Text is left as it was written, quotes and block scalars included. Where the schema names no keys, as
    under `fields`, their order means something and stays. Raises InvalidInputError for what is no recipe, and
    where the layout would change the meaning; what is wrong further down is left to `validate`.
    """
    before = _parsed(content, file)
    text = content.decode("utf-8-sig")
    written = read_written(text)
    schema = load_schema("recipe")
    nodes = list(_branches(schema, schema))
    _arrange(written.root, nodes, schema)
    laid_out = "\n".join([*_lines(written), ""])
    after, _ = parse_yaml(laid_out.encode(), file)
    is_kept = after is not None and _meaning(after, nodes, schema) == _meaning(before, nodes, schema)
    if not is_kept or comments_of(laid_out) != comments_of(text):
        raise _refusal(
            file,
            "cannot be laid out without changing what it says, so it is left as it is. "
            "This is a fault of finetune-runner: please report it with the file.",
        )
    return laid_out.encode()


def _parsed(content: bytes, file: str) -> Document:
    document, issues = parse_yaml(content, file)
    if issues or document is None:
        raise InvalidInputError(
            sorted(issues, key=lambda issue: (issue.place.line or 0, issue.place.column or 0))
        )
    if not isinstance(document.value, dict):
        found = "an empty file" if document.value is None else "no mapping at the top"
        raise _refusal(file, f"found {found}, expected a recipe.")
    problems = [
        document.issue(item.path, item.message, at_key=item.at_key)
        for item in violations("recipe", document.value)
        if _is_no_recipe(item)
    ]
    if problems:
        raise InvalidInputError(problems)
    return document


def _refusal(file: str, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=Place(file=file), message=message)])


def _is_no_recipe(violation: Violation) -> bool:
    """Whether a violation says that a file is something else, not that a recipe has a mistake."""
    is_unknown = violation.at_key and len(violation.path) == 1
    return is_unknown or violation.path == ("version",) or violation.missing == "version"


def _meaning(document: Document, nodes: list[_Schema], root: _Schema) -> bytes:
    """What a document says, with the order of keys where the schema names none."""

    def said(value: Any, nodes: list[_Schema]) -> Any:
        if isinstance(value, list):
            return [said(item, _items(nodes, root)) for item in value]
        if not isinstance(value, dict):
            return value
        items = {name: said(item, _values(nodes, name, root)) for name, item in value.items()}
        return items if _names(nodes, set(value)) else list(items.items())

    return canonical_json(said(document.value, nodes))


def _arrange(collection: Collection, nodes: list[_Schema], root: _Schema) -> None:
    """Put the keys of every mapping in the schema's order, those it does not name at the end."""
    present = {entry.name for entry in collection.entries}
    if collection.is_mapping:
        place = {name: number for number, name in enumerate(_names(nodes, present))}
        collection.entries.sort(key=lambda entry: place.get(entry.name, len(place)))
    for entry in collection.entries:
        if isinstance(entry.value, Collection):
            below = _values(nodes, entry.name, root) if collection.is_mapping else _items(nodes, root)
            _arrange(entry.value, below, root)


def _names(nodes: list[_Schema], present: set[str]) -> list[str]:
    """The keys a mapping may have, by the alternative that has all that are present."""
    choices = [list(node["properties"]) for node in nodes if "properties" in node]
    every = list(dict.fromkeys(name for names in choices for name in names))
    return next((names for names in choices if present <= set(names)), every)


def _values(nodes: list[_Schema], name: str, root: _Schema) -> list[_Schema]:
    found = []
    for node in nodes:
        known, others = node.get("properties", {}), node.get("additionalProperties")
        if name in known:
            # The schema of a profile only names the keys: what they hold is what they hold in a recipe.
            found.append({"additionalProperties": root} if name == "profiles" else known[name])
        elif isinstance(others, Mapping):
            found.append(others)
    return [branch for node in found for branch in _branches(node, root)]


def _items(nodes: list[_Schema], root: _Schema) -> list[_Schema]:
    return [branch for node in nodes if "items" in node for branch in _branches(node["items"], root)]


def _branches(node: _Schema, root: _Schema) -> Iterator[_Schema]:
    """A schema and all its alternatives, references followed."""
    if "$ref" in node:
        yield from _branches(root["$defs"][node["$ref"].removeprefix("#/$defs/")], root)
    yield node
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(keyword, ()):
            yield from _branches(branch, root)


def _lines(written: Written) -> Iterator[str]:
    yield from _tidied(written.header)
    root = written.root
    for entry in root.entries[1:]:
        if isinstance(entry.value, Collection) and BLANK not in entry.leading:
            entry.leading.insert(0, BLANK)
    yield from _printed(root, 0)


def _printed(collection: Collection, column: int) -> Iterator[str]:
    """The lines of a collection whose entries begin at a column."""
    margin, follows_kept = " " * column, False
    for number, entry in enumerate(collection.entries):
        inner = _head_comments(entry)
        leading = _tidied([*entry.leading, *inner], keeps_first=number > 0 and not follows_kept)
        yield from (f"{margin}{line}" if line else BLANK for line in leading)
        yield from _entry_lines(entry, column)
        follows_kept = _ends_in_kept_breaks(entry)
    tail = _tidied(collection.tail, keeps_first=not follows_kept)
    if tail and not tail[-1]:
        tail.pop()
    yield from (f"{margin}{line}" if line else BLANK for line in tail)


def _head_comments(entry: Entry) -> list[str]:
    """Take what stands above the first entry of a list's item: the item itself begins on that line."""
    value, found = entry.value, []
    while not entry.key and isinstance(value, Collection):
        first = value.entries[0]
        found += [line for line in first.leading if line]
        first.leading = []
        entry, value = first, first.value
    return found


def _entry_lines(entry: Entry, column: int) -> Iterator[str]:
    margin, head = " " * column, f"{entry.key}:" if entry.key else "-"
    if isinstance(entry.value, Text):
        first, *rest = entry.value.lines
        below = " " * (column + _INDENT)
        lines = [f"{margin}{head} {first}".rstrip(" "), *(f"{below}{line}" if line else "" for line in rest)]
        lines[-1] += entry.trailing
        yield from lines
        return
    inner = _printed(entry.value, column + _INDENT)
    if entry.key:
        yield f"{margin}{head}{entry.trailing}"
    else:
        yield f"{margin}{head} {next(inner).lstrip(' ')}"
    yield from inner


def _ends_in_kept_breaks(entry: Entry) -> bool:
    """Whether a blank line after an entry would become part of its text."""
    value = entry.value
    if isinstance(value, Text):
        return value.keeps_breaks
    return not value.tail and _ends_in_kept_breaks(value.entries[-1])


def _tidied(lines: list[str], *, keeps_first: bool = False) -> list[str]:
    """Comments with at most one blank line between them, and above the first only where it separates."""
    found: list[str] = []
    for line in lines:
        if line or (found[-1] if found else keeps_first):
            found.append(line)
    return found
