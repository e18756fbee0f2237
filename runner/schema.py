"""JSON Schemas of the project's files, and their violations as sentences a user can act on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runner.display import one_line, shown
from runner.hints import SHOWN_NAMES, did_you_mean, nearest
from runner.verdicts import is_known_valid, note_valid, verdict_key

Keys = tuple[str | int, ...]


@cache
def schema_text(name: str) -> str:
    """Read a schema such as `recipe` from the installed package, or from the checkout it is edited in."""
    file = f"{name}.schema.json"
    installed = Path(__file__).parent / "schemas" / file
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "schemas" / file).read_text(encoding="utf-8")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Parse a schema by name."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


@dataclass(frozen=True, slots=True)
class Violation:
    """Where data breaks a schema, and a sentence about it.

    `at_key` says that the key itself is wrong; `missing` is the key that the mapping at `path` lacks.
    """

    path: Keys
    message: str
    at_key: bool = False
    missing: str = ""


def violations(schema_name: str, value: Any, *, within: Sequence[str] = ()) -> list[Violation]:
    """Check JSON data against a schema; every violation in document order.

    Of a value that is not whole, those keys at the top that `within` names are looked at alone.
    """
    key = verdict_key(f"{schema_text(schema_name)} {within}", value)
    if key is not None and is_known_valid(key):
        return []
    found = [
        item
        for item in _violations(schema_name, value)
        if not within or item.path and item.path[0] in within or item.missing in within
    ]
    if key is not None and not found:
        note_valid(key)
    return found


def _violations(schema_name: str, value: Any) -> list[Violation]:
    from jsonschema import Draft202012Validator

    explainer = _Explainer(load_schema(schema_name))
    validator = Draft202012Validator(explainer.root, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found: list[Violation] = []
    for error in validator.iter_errors(value):
        found += [item for item in explainer.explain(error) if item not in found]
    return found


_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_PATTERNS = {
    "^[0-9a-f]{40}$": "a commit, all 40 hexadecimal digits in small letters",
    "^[0-9a-f]{64}$": "64 hexadecimal digits in small letters",
    "^[a-z_][a-z0-9_]{0,62}$": "small letters, digits and underscores, at most 63, not a digit first",
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$": "a name such as org/name",
    "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$": "small letters, digits and inner hyphens, at most 64",
    "^[a-z0-9][a-z0-9_-]*$": "small letters, digits, hyphens and underscores, and not 'default'",
    "^[^.]+(\\.[^.]+)*$": "a dotted path such as training.seed",
    "^[^\\W\\d]\\w*$": "a word of letters, digits and underscores that does not begin with a digit",
    "^[a-z0-9][a-z0-9_-]{0,62}$": "up to 63 of a-z, 0-9, - and _, such as production",
    "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$": "a time in UTC such as 2026-11-01T12:00:00Z",
    "^[0-9a-f]{40,64}$": "a commit, 40 or 64 hexadecimal digits in small letters",
    "^[0-9a-f]{16}$": "16 hexadecimal digits in small letters",
    "^https?://[^\\s/?#]+[^\\s?#]*$": "a URL that begins with https:// or http://",
    "^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable",
    "^[^{}]*\\{role\\}[^{}]*\\{content\\}[^{}]*$": "text with {role} and then {content} in it",
}
# What a recipe takes for a number where no quotes stand around it; a longer one stays text.
_NUMBER = re.compile(r"(?=.{1,20}$)[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FORMATS = {"date": "a date such as 2026-11-22"}


class _Explainer:
    """Turns a validator's errors into sentences; `root` resolves references inside the schema."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def explain(self, error: Any) -> Iterator[Violation]:
        path: Keys = tuple(error.absolute_path)
        keyword = error.validator
        if "propertyNames" in error.relative_schema_path:
            name = str(error.instance)
            sentence = f"found the name '{one_line(name)}', expected {self.expected(error.schema)}."
            yield Violation((*path, name), sentence, at_key=True)
        elif keyword == "additionalProperties":
            yield from _unknown_keys(error, path)
        elif keyword == "required":
            # A condition at the top, such as `else`, describes nothing: the schema itself does.
            yield from _missing_keys(error, path, error.schema if path else self.root)
        elif keyword == "dependentRequired":
            yield from _needed_keys(error, path)
        elif keyword in ("anyOf", "oneOf"):
            yield from self.alternatives(error, path)
        elif keyword == "uniqueItems":
            yield Violation(path, "found a value twice, expected each value once. Remove one.")
        elif keyword in ("minItems", "minProperties", "minLength", "maxLength"):
            yield Violation(path, _size_sentence(error))
        else:
            yield Violation(path, self.mismatch(error))

    def alternatives(self, error: Any, path: Keys) -> Iterator[Violation]:
        choices = _required_alone(error.validator_value)
        if choices:
            # What is no mapping at all is told by its type.
            if isinstance(error.instance, dict):
                yield Violation(path, _choice_sentence(choices, error.instance))
            return
        branches: dict[int, list[Any]] = {}
        for child in error.context:
            branches.setdefault(child.relative_schema_path[0], []).append(child)
        best = _fitting_branch(branches, error.instance)
        if best is None:
            yield Violation(path, self.mismatch(error))
            return
        for child in best:
            yield from self.explain(child)

    def mismatch(self, error: Any) -> str:
        sentence = f"found {shown(error.instance)}, expected {self.expected(error.schema)}."
        return f"{sentence} {_advice(error)}".rstrip()

    def expected(self, schema: Mapping[str, Any]) -> str:
        if "$ref" in schema:
            return self.expected(self.resolve(schema["$ref"]))
        if "const" in schema:
            return _written(schema["const"])
        if "enum" in schema:
            written = [_written(value) for value in schema["enum"]]
            if len(written) > SHOWN_NAMES:
                return f"one of {len(written)}, such as {written[0]} or {written[-1]}"
            return written[0] if len(written) == 1 else "one of " + ", ".join(written)
        if "anyOf" in schema and not _required_alone(schema["anyOf"]):
            return " or ".join(self.expected(branch) for branch in schema["anyOf"])
        if "pattern" in schema:
            return _PATTERNS.get(schema["pattern"], f"text like {schema['pattern']}")
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        types = schema.get("type", ())
        named = [_TYPES[name] for name in ([types] if isinstance(types, str) else types)]
        return (" or ".join(named) or "another value") + _bounds(schema)

    def resolve(self, reference: str) -> Mapping[str, Any]:
        node: Any = self.root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        result: Mapping[str, Any] = node
        return result


def _unknown_keys(error: Any, path: Keys) -> Iterator[Violation]:
    known = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            sentence = f"found an unknown key '{one_line(key)}'. {did_you_mean(key, known)}"
            yield Violation((*path, key), sentence, at_key=True)


def _missing_keys(error: Any, path: Keys, schema: Mapping[str, Any]) -> Iterator[Violation]:
    # The validator reports each missing key by itself; the key is the first word of its message.
    key = error.message.split("'")[1]
    sentence = f"the key '{key}' is missing. Add it{_described(schema, key)}."
    yield Violation(path, sentence, missing=key)


def _needed_keys(error: Any, path: Keys) -> Iterator[Violation]:
    for key, needed in error.validator_value.items():
        for name in needed:
            if key in error.instance and name not in error.instance:
                described = _described(error.schema, name)
                yield Violation(path, f"the key '{key}' needs '{name}' beside it. Add it{described}.")


def _described(schema: Mapping[str, Any], key: str) -> str:
    description = schema.get("properties", {}).get(key, {}).get("description", "")
    first = re.split(r"\. (?=[A-Z])", description)[0].rstrip(".")
    return f": {first[0].lower()}{first[1:]}" if first else ""


def _required_alone(alternatives: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of alternatives whose branches only require one key each, as in "template or templates"."""
    if all(set(branch) == {"required"} for branch in alternatives):
        return [key for branch in alternatives for key in branch["required"]]
    return []


def _choice_sentence(choices: list[str], instance: Mapping[str, Any]) -> str:
    names = " or ".join(f"'{key}'" for key in choices)
    if any(key in instance for key in choices):
        found = " and ".join(f"{key!r}" for key in choices if key in instance)
        return f"found {found}, expected only one. Keep {names}."
    return f"expected one of {names}, found neither. Add one."


def _fitting_branch(branches: dict[int, list[Any]], instance: Any) -> list[Any] | None:
    """The branch that has the right type at its top, so that its inner problems are the user's."""
    fitting = [
        errors
        for errors in branches.values()
        if not any(error.validator in ("type", "const") and not error.relative_path for error in errors)
    ]
    if isinstance(instance, dict) and len(fitting) > 1:
        return min(fitting, key=lambda errors: (_lacks_key(errors), len(errors)))
    return fitting[0] if len(fitting) == 1 else None


def _lacks_key(errors: list[Any]) -> bool:
    return any(error.validator == "required" and not error.relative_path for error in errors)


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None and "exclusiveMaximum" in schema:
        return f" from {low} to less than {schema['exclusiveMaximum']}"
    if low is not None:
        return f" of at least {low}"
    if "exclusiveMinimum" in schema:
        most = f" and at most {high}" if high is not None else ""
        return f" above {schema['exclusiveMinimum']}{most}"
    return ""


def _written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else shown(value)


def _advice(error: Any) -> str:
    found = error.instance
    if error.validator == "const":
        if isinstance(found, str) and found == str(error.validator_value):
            return "Remove the quotes."
        return str(error.schema.get("$comment", ""))
    if error.validator == "enum":
        return nearest(str(found), map(str, error.validator_value))
    if error.schema.get("type") == "string" and not isinstance(found, dict | list):
        return "Put it in quotes." if error.validator == "type" else ""
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return "Remove the quotes."
    if isinstance(found, str) and re.match(r"[-+.]?[0-9]", found):
        return "Write it as a plain decimal number."
    return ""


def _size_sentence(error: Any) -> str:
    if error.validator == "maxLength":
        return (
            f"found {len(error.instance)} characters, expected at most {error.validator_value}. Shorten it."
        )
    if error.validator == "minLength":
        return "found empty text, expected at least one character. Fill it in."
    return f"found {shown(error.instance)}, expected at least {error.validator_value}. Add one."
