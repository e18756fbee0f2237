"""From a record to the values of the template variables."""

import re
import unicodedata
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class FieldReader:
    """A field with its path compiled; `is_plain` says that nothing is done to what is read."""

    name: str
    field: Field
    read: Read
    is_plain: bool

    def value(self, data: dict[str, Any]) -> Any:
        """The value for the template. Raises PathError."""
        value = self.read(data)
        if value is None:
            return _absent(self.field, data)
        return value if self.is_plain else self._shaped(value)

    def _shaped(self, value: Any) -> Any:
        if self.field.join is not None:
            value = _joined(value, self.field.join)
        return _tidied(value, self.field)


def compile_fields(recipe: Recipe) -> tuple[FieldReader, ...]:
    """The readers of all fields, in the order of the recipe. Raises PathError for a broken expression."""
    return tuple(
        FieldReader(
            name=field.name,
            field=field,
            read=compile_path(field.path),
            is_plain=field.join is None and not field.trim and not field.collapse_space,
        )
        for field in recipe.fields
    )


def map_record(readers: tuple[FieldReader, ...], record: Record) -> dict[str, Any] | list[Issue]:
    """The values of the template variables by name, or every problem that the record has."""
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    for reader in readers:
        try:
            values[reader.name] = reader.value(record.data)
        except PathError as error:
            message = f"field {shown(reader.name)}: {error}"
            issues.append(Issue(place=record.place, message=message))
    return issues or values


def identity_text(value: Any, path: str, data: dict[str, Any]) -> str:
    """What the declared key says about a record, as text. Raises PathError where it cannot identify one."""
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
