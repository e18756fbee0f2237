"""OpenAI's published OpenAPI document as something that JSON can be checked against."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

# Where the document (2.3.0, 2026-08-21) contradicts itself or the service that it describes. Each is a path
# to an enum and what has to be added to it.
MISSING_VALUES = (
    # Its own example of a paused job has this status.
    (("components", "schemas", "FineTuningJob", "properties", "status", "enum"), "paused"),
    # CreateFileRequest takes it.
    (("components", "schemas", "OpenAIFile", "properties", "purpose", "enum"), "evals"),
    (("components", "schemas", "CreateUploadRequest", "properties", "purpose", "enum"), "user_data"),
)
# The document has one grader where the guide, and the service, have an object of named ones.
NAMED_GRADERS = ("components", "schemas", "GraderMulti", "properties", "graders")


class Document:
    """The operations of the document, and checks of what is sent to them and said by them."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_bytes())
        _amend(content)
        self._components = _plain(content["components"])
        self._operations: dict[tuple[str, str], Any] = {
            (method.upper(), template): _plain(operation)
            for template, operations in content["paths"].items()
            for method, operation in operations.items()
            if method in ("get", "post", "delete")
        }

    @property
    def operations(self) -> list[str]:
        """Every operation as `GET /path`."""
        return sorted(f"{method} {template}" for method, template in self._operations)

    def find(self, method: str, path: str) -> str | None:
        """The operation that a request is for, the most literal template first."""
        fitting = [
            (template.count("{"), template)
            for known, template in self._operations
            if known == method and _fits(template, unquote(path))
        ]
        return f"{method} {min(fitting)[1]}" if fitting else None

    def request_problems(self, operation: str, media_type: str, body: Any) -> list[str]:
        """What is wrong with a request body."""
        return self._problems(self._of(operation).get("requestBody"), media_type, body, "request")

    def answer_problems(self, operation: str, status: int, media_type: str, body: Any) -> list[str]:
        """What is wrong with the body of an answer."""
        return self._problems(self._of(operation)["responses"].get(str(status)), media_type, body, "answer")

    def query_problems(self, operation: str, query: Mapping[str, Any]) -> list[str]:
        """What is wrong with the parameters of a query."""
        known = {found["name"]: found["schema"] for found in self._of(operation).get("parameters", [])}
        unknown = [f"query: '{name}' is not a parameter" for name in query if name not in known]
        return unknown + [
            problem
            for name, value in query.items()
            if name in known
            for problem in self._against(known[name], value, f"query.{name}")
        ]

    def _of(self, operation: str) -> Any:
        method, template = operation.split()
        return self._operations[method, template]

    def _problems(self, described: Any, media_type: str, body: Any, where: str) -> list[str]:
        if described is None:
            return [] if body in (None, b"") else [f"{where}: a body where the document has none"]
        content = described.get("content", {})
        if media_type not in content:
            return [f"{where}: media type '{media_type}' is not one of {sorted(content)}"]
        return self._against(content[media_type]["schema"], body, where)

    def _against(self, schema: Any, value: Any, where: str) -> list[str]:
        validator = Draft202012Validator({"components": self._components, "allOf": [schema]})
        return [
            f"{where}{error.json_path.removeprefix('$')}: {error.message[:200]}"
            for error in validator.iter_errors(value)
        ]


def _fits(template: str, path: str) -> bool:
    pattern = "/".join(
        "[^/]+"
        if part.startswith("{") and "checkpoint" not in part and part != "{model}"
        # Names of models may hold slashes.
        else ".+"
        if part.startswith("{")
        else re.escape(part)
        for part in template.split("/")
    )
    return re.fullmatch(pattern, path) is not None


def _amend(content: Any) -> None:
    for path, value in MISSING_VALUES:
        _at(content, path).append(value)
    single = _at(content, NAMED_GRADERS)
    _at(content, NAMED_GRADERS[:-1])["graders"] = {
        "anyOf": [dict(single), {"type": "object", "additionalProperties": dict(single)}]
    }


def _at(content: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def _plain(schema: Any) -> Any:
    """Turn what is left of OpenAPI 3.0 into JSON Schema 2020-12.

    `nullable` and boolean exclusive bounds mean nothing there. `oneOf` becomes `anyOf`, because the choices
    overlap: a model is "a string" or "one of these strings".
    """
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {("anyOf" if key == "oneOf" else key): _plain(value) for key, value in schema.items()}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if plain.get(exclusive) is True:
            plain[exclusive] = plain.pop(bound)
    if plain.pop("nullable", None) is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
