"""Reads the input file of a batch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.local.service.bodies import MAX_DEPTH, is_too_deep

CHAT_ENDPOINT = "/v1/chat/completions"
# https://github.com/openai/openai-openapi (2026-08-21)
MAX_REQUESTS = 50_000
# More would say nothing new.
MAX_ERRORS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """One line of the file."""

    custom_id: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedInput:
    """What a whole file holds: requests to one model, or errors in the API's form."""

    n_requests: int
    model: str | None
    errors: tuple[dict[str, Any], ...]


class _LineError(Exception):
    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


def read_requests(path: Path) -> Iterator[BatchRequest]:
    """Read a file that was checked, with memory for one line."""
    for _, line in _lines(path):
        request = json.loads(line)
        yield BatchRequest(custom_id=request["custom_id"], body=request["body"])


def check_input(path: Path, endpoint: str) -> CheckedInput:
    """Check every line of a file, with memory for one line and the IDs."""
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    model: str | None = None
    n_requests = 0
    for number, line in _lines(path):
        n_requests += 1
        try:
            model = _check_line(line, endpoint, seen, model)
        except _LineError as error:
            errors.append(_error(error, number))
        if len(errors) >= MAX_ERRORS:
            break
    if n_requests == 0:
        errors.append(_error(_LineError("empty_file", "The input file has no requests."), None))
    if n_requests > MAX_REQUESTS:
        message = f"The input file has {n_requests} requests; at most {MAX_REQUESTS} are allowed."
        errors.append(_error(_LineError("too_many_requests", message), None))
    return CheckedInput(n_requests=n_requests, model=model, errors=tuple(errors))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line


def _check_line(line: bytes, endpoint: str, seen: set[str], model: str | None) -> str:
    """Check one request and give the model of all so far."""
    request = json.loads(line)
    if is_too_deep(request):
        raise _LineError("invalid_request", f"The request is nested more than {MAX_DEPTH} levels deep.")
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        raise _LineError(
            "missing_required_parameter", "Missing required parameter: 'custom_id'.", "custom_id"
        )
    if custom_id in seen:
        message = (
            f"The custom_id '{custom_id}' for this request is a duplicate of another request. "
            "The custom_id parameter must be unique for each request in a batch."
        )
        raise _LineError("duplicate_custom_id", message, "custom_id")
    seen.add(custom_id)
    if request.get("method") != "POST":
        raise _LineError(
            "invalid_method", f"Invalid method: {request.get('method')!r}. Expected 'POST'.", "method"
        )
    if request.get("url") != endpoint:
        message = (
            f"The URL provided for this request does not match the batch endpoint: expected '{endpoint}'."
        )
        raise _LineError("mismatched_url", message, "url")
    body = request.get("body")
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise _LineError(
            "missing_required_parameter", "Missing required parameter: 'body.model'.", "body.model"
        )
    if model is not None and body["model"] != model:
        message = f"All requests of a batch must be for one model: found '{body['model']}' after '{model}'."
        raise _LineError("mismatched_model", message, "body.model")
    return str(body["model"])


def _error(error: _LineError, number: int | None) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "param": error.param, "line": number}
