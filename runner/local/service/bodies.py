"""Reads request bodies and query values, refusing what they must not hold."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from runner.local.service.refusals import ApiError, invalid, invalid_value

MAX_PAGE = 10_000
# Far more than any request needs, and far less than what Python's own recursion bears.
MAX_DEPTH = 100
# What a refusal repeats of what it was sent; characters.
MAX_ECHO = 1000
METADATA_FILTER = re.compile(r"metadata\[.+\]", re.DOTALL)


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object from a request's body. Raises ApiError."""
    if _media_type(request) != "application/json":
        raise ApiError(415, "The request body must be JSON, sent with 'Content-Type: application/json'.")
    try:
        body = json.loads(await request.body(), parse_constant=_refuse_constant, parse_float=_finite_number)
        # Text with half of a surrogate pair could be neither stored nor sent back.
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise invalid(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise invalid("The JSON body of your request must be an object.")
    if is_too_deep(body):
        raise invalid(f"The JSON body of your request is nested more than {MAX_DEPTH} levels deep.")
    return body


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has more than MAX_DEPTH levels, which would break what walks through it."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return any(isinstance(item, dict | list) for item in level)


def require_form(request: Request) -> None:
    """Refuse a body that is not a form. Raises ApiError."""
    if _media_type(request) != "multipart/form-data":
        raise ApiError(415, "The request body must be a form, sent with 'Content-Type: multipart/form-data'.")


def chosen(request: Request, name: str, choices: Sequence[str]) -> str:
    """Read one of several words from the query; the first is the default. Raises ApiError."""
    value = request.query_params.get(name, choices[0])
    if value not in choices:
        expected = " or ".join(choices)
        raise invalid_value(f"Invalid '{name}': found '{value}', expected {expected}.", name)
    return value


def metadata_filter(request: Request) -> Callable[[Mapping[str, str] | None], bool]:
    """Read `metadata[key]=value` and `metadata=null` from the query, as a test of an object's metadata."""
    query = request.query_params
    wanted = {name[9:-1]: value for name, value in query.items() if METADATA_FILTER.fullmatch(name)}
    if query.get("metadata") == "null":
        return lambda metadata: not metadata
    return lambda metadata: wanted.items() <= (metadata or {}).items()


def check_object(body: dict[str, Any], schema: dict[str, Any]) -> None:
    """Check JSON data against a schema. Raises ApiError in the hosted service's words."""
    # Imported here because the service answers its first request before anyone creates a job.
    from jsonschema import Draft202012Validator

    errors = sorted(
        Draft202012Validator(schema).iter_errors(body), key=lambda error: list(map(str, error.path))
    )
    if not errors:
        return
    error = errors[0]
    path = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties" and error.validator_value is False:
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))[0]
        name = f"{path}.{unknown}" if path else unknown
        raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        name = f"{path}.{missing}" if path else missing
        raise invalid(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    said = error.message
    if error.validator == "const" and "description" in error.schema:
        said = f"{error.instance!r} is not {error.schema['description']}"
    said = said if len(said) <= MAX_ECHO else f"{said[:MAX_ECHO]}…"
    raise invalid(f"{said} - '{path}'", path, "invalid_value")


def page_limit(request: Request, default: int, *, at_least: int = 0, at_most: int = MAX_PAGE) -> int:
    """Read `limit` from the query. Raises ApiError when it is not a number in range.

    OpenAI's document gives files and batches a range, and the other lists none (2026-11).
    """
    text = request.query_params.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not at_least <= int(text) <= at_most:
        expected = f"a number from {at_least} to {at_most}"
        raise invalid(f"Invalid 'limit': found '{text}', expected {expected}.", "limit")
    return int(text)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
