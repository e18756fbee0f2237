"""From a record to the values of the template variables."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from runner.display import shown
from runner.examples.paths import PathError, Read, compile_path, missing_sentence
from runner.examples.scalars import scalar_text
from runner.issues import Issue
from runner.recipe.model import Field, Recipe
from runner.sources.base import Record

Keys = tuple[str | int, ...]

# Words that an expression in a template reads as something else than a variable.
# https://jinja.palletsprojects.com/en/stable/templates/#expressions (2026-11)
RESERVED_NAMES = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "true", "True", "false", "False", "none", "None"}
    | {"loop", "self", "super"}
)
_WHITE_SPACE = re.compile(r"\s+")


# The name of a field, and its value for the template, which raises PathError where a record has none.
FieldReader = tuple[str, Read]


def compile_fields(recipe: Recipe) -> tuple[FieldReader, ...]:
    """The readers of all fields, in the order of the recipe. Raises PathError for a broken expression."""
    return tuple((field.name, _reader(field)) for field in recipe.fields)


def map_record(readers: tuple[FieldReader, ...], record: Record) -> dict[str, Any] | list[Issue]:
    """The values of the template variables by name, or every problem that the record has."""
    data = record.data
    try:
        return {name: read(data) for name, read in readers}
    except PathError:
        return list(_issues(readers, record))


def _issues(readers: tuple[FieldReader, ...], record: Record) -> Iterator[Issue]:
    for name, read in readers:
        try:
            read(record.data)
        except PathError as error:
            yield Issue(place=record.place, message=f"field {shown(name)}: {error}")


def _reader(field: Field) -> Read:
    read = compile_path(field.path)
    if field.join is None and not field.trim and not field.collapse_space:
        return _plain(field, read)

    def value(data: dict[str, Any]) -> Any:
        found = read(data)
        if found is None:
            return _absent(field, data)
        return _tidied(found if field.join is None else _joined(found, field.join), field)

    return value


def _plain(field: Field, read: Read) -> Read:
    def value(data: dict[str, Any]) -> Any:
        found = read(data)
        return _absent(field, data) if found is None else found

    return value


def identity_text(value: Any, path: str, data: dict[str, Any]) -> str:
    """What the declared key says about a record, as text. Raises PathError where it cannot identify one."""
    if value.__class__ is str and value:
        return str(value)
    if value is None:
        raise PathError(missing_sentence(path, data).replace(", or give the field a `default`", ""))
    if isinstance(value, float | list | dict) or value == "":
        raise PathError(
            f"found {shown(value)} at {shown(path)}, expected text, an integer, true or false. "
            "Choose a key that identifies the record."
        )
    return scalar_text(value) or ""


def check_fields(recipe: Recipe) -> list[tuple[Keys, str]]:
    """Every problem of the fields and the key that shows without data: (path in the recipe, sentence)."""
    problems: list[tuple[Keys, str]] = []
    for field in recipe.fields:
        message = _name_problem(field.name)
        if message:
            problems.append((("fields", field.name), message))
        problems += _path_problems(field.path, ("fields", field.name))
    if recipe.key is not None:
        problems += _path_problems(recipe.key, ("key",))
    return problems


def _path_problems(path: str, keys: Keys) -> list[tuple[Keys, str]]:
    try:
        compile_path(path)
    except PathError as error:
        return [(keys, str(error))]
    return []


def _name_problem(name: str) -> str:
    if name in RESERVED_NAMES:
        return f"found the name '{name}', which templates keep for themselves, expected another. Rename it."
    # Python folds such names together, so that two fields could become one variable.
    # https://docs.python.org/3/reference/lexical_analysis.html#identifiers (2026-11)
    normal = unicodedata.normalize("NFKC", name)
    if normal != name:
        return f"found the name {shown(name)}, expected it in the normal form NFKC. Write {shown(normal)}."
    if not name.isidentifier():
        return f"found the name {shown(name)}, expected letters, digits and underscores. Rename it."
    return ""


def _absent(field: Field, data: dict[str, Any]) -> Any:
    if field.has_default:
        return field.default
    if field.required:
        raise PathError(missing_sentence(field.path, data))
    return None


def _joined(value: Any, separator: str) -> str:
    if not isinstance(value, list):
        raise PathError(f"found {shown(value)}, expected a list. Remove `join`, or use another path.")
    try:
        return separator.join(value)
    except TypeError:
        return separator.join(_texts(value))


def _texts(items: list[Any]) -> list[str]:
    parts = []
    for item in items:
        if item is None:
            continue
        text = None if isinstance(item, bool) else scalar_text(item)
        if text is None:
            raise PathError(
                f"found {shown(item)} in the list, expected texts or numbers. "
                "Use a path such as `sections[].text` that leads to texts."
            )
        parts.append(text)
    return parts


def _tidied(value: Any, field: Field) -> Any:
    if not (field.trim or field.collapse_space):
        return value
    if not isinstance(value, str):
        option = "collapse_space" if field.collapse_space else "trim"
        advice = "Use `join` or another path." if isinstance(value, list) else f"Remove `{option}`."
        raise PathError(f"found {shown(value)}, expected text for `{option}`. {advice}")
    if field.collapse_space:
        value = _WHITE_SPACE.sub(" ", value)
    return value.strip() if field.trim else value
