"""Says what is wrong with a request body in the words of the hosted chat API."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.local.service.refusals import ApiError, invalid

# JSON Schema's names of types, as the API says them.
TYPES = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a decimal",
    "object": "an object",
    "string": "a string",
}


def check_body(body: dict[str, Any], schema: dict[str, Any]) -> None:
    """Check a request body against a schema. Raises ApiError for the first problem."""
    # Imported here because the service answers its first request before anyone sends a body.
    from jsonschema import Draft202012Validator

    errors = sorted(
        Draft202012Validator(schema).iter_errors(body),
        key=lambda error: (error.validator == "required", [str(key) for key in error.absolute_path]),
    )
    if errors:
        raise refusal_of(errors[0])


def refusal_of(error: Any) -> ApiError:
    """Describe a violation, a `jsonschema.ValidationError`.

    The words for numbers out of range are those in published recordings of the hosted API; the others are
    built alike.
    """
    path, rule = _path(error.absolute_path), str(error.validator)
    if rule == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        name = _path([*error.absolute_path, missing])
        return invalid(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if rule == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema.get("properties", ())))[0]
        name = _path([*error.absolute_path, unknown])
        return invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if rule in ("enum", "const"):
        choices = error.validator_value if rule == "enum" else [error.validator_value]
        message = f"Invalid value: {_shown(error.instance)}. Supported values are: {_listed(choices)}."
        return invalid(message, path, "invalid_value")
    if rule == "type":
        found = TYPES[_type_of(error.instance)]
        expected = TYPES[str(error.validator_value)]
        message = f"Invalid type for '{path}': expected {expected}, but got {found} instead."
        return invalid(message, path, "invalid_type")
    if rule == "pattern":
        expected = f"Expected a string that matches the pattern '{error.validator_value}'."
        return invalid(f"Invalid '{path}': string does not match pattern. {expected}", path, "invalid_value")
    if rule in BOUNDS:
        what, expected, code = BOUNDS[rule](error)
        return invalid(f"Invalid '{path}': {what}. Expected {expected} instead.", path, code)
    return invalid(f"Invalid '{path}': {error.message}.", path, "invalid_value")


def _below(error: Any) -> tuple[str, str, str]:
    return _out_of_range(error, "below minimum value", ">=", "below_min_value")


def _not_above(error: Any) -> tuple[str, str, str]:
    return _out_of_range(error, "below minimum value", ">", "below_min_value")


def _above(error: Any) -> tuple[str, str, str]:
    return _out_of_range(error, "above maximum value", "<=", "above_max_value")


def _out_of_range(error: Any, what: str, sign: str, code: str) -> tuple[str, str, str]:
    kind = "integer" if error.schema.get("type") == "integer" else "decimal"
    expected = f"a value {sign} {error.validator_value}, but got {error.instance}"
    return f"{kind} {what}", expected, f"{kind}_{code}"


def _short(error: Any) -> tuple[str, str, str]:
    value, (kind, name) = error.instance, _sequence(error.instance)
    found = f"{name} with length {len(value)}" if value else f"an empty {kind}"
    what = f"{kind} too short" if value else f"empty {kind}"
    code = f"{kind}_below_min_length" if value else f"empty_{kind}"
    return what, f"{name} with minimum length {error.validator_value}, but got {found}", code


def _long(error: Any) -> tuple[str, str, str]:
    kind, name = _sequence(error.instance)
    found = f"{name} with length {len(error.instance)}"
    expected = f"{name} with maximum length {error.validator_value}, but got {found}"
    return f"{kind} too long", expected, f"{kind}_above_max_length"


def _many(error: Any) -> tuple[str, str, str]:
    found = f"an object with {len(error.instance)} properties"
    expected = f"an object with at most {error.validator_value} properties, but got {found}"
    return "too many properties", expected, "object_above_max_properties"


def _sequence(value: Any) -> tuple[str, str]:
    return ("array", "an array") if isinstance(value, list) else ("string", "a string")


BOUNDS: Mapping[str, Callable[[Any], tuple[str, str, str]]] = {
    "minimum": _below,
    "exclusiveMinimum": _not_above,
    "maximum": _above,
    "minItems": _short,
    "maxItems": _long,
    "minLength": _short,
    "maxLength": _long,
    "maxProperties": _many,
}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _path(keys: Sequence[str | int] | Any) -> str:
    path = ""
    for key in keys:
        path += f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
    return path


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)[:80]


def _listed(choices: Sequence[Any]) -> str:
    *most, last = [_shown(choice) for choice in choices]
    if not most:
        return last
    return f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}"
