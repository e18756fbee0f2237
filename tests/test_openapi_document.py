"""The reading of OpenAI's document, on a small one with its faults."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.openapi_document import Document

JOB = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "rate": {"oneOf": [{"enum": ["auto"]}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}]},
        "model": {"oneOf": [{"type": "string"}, {"type": "string", "enum": ["a"]}]},
        "note": {"type": "string", "nullable": True},
        "status": {"enum": ["running"]},
    },
    "required": ["id"],
}


def enum(*path: str) -> dict[str, Any]:
    """An object of properties around one enum."""
    return {"properties": {path[0]: {"enum": ["x"]}}}


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """Two operations on a job and one on a model."""
    described = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/FineTuningJob"}}}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    grader = {"properties": {"graders": {"type": "object", "required": ["type"]}}}
    content = {
        "components": {
            "schemas": {
                "FineTuningJob": JOB,
                "OpenAIFile": enum("purpose"),
                "CreateUploadRequest": enum("purpose"),
                "GraderMulti": grader,
            }
        },
        "paths": {
            "/jobs": {
                "post": {"requestBody": described, "responses": {"200": described}},
                "get": {"parameters": [limit], "responses": {"200": described}},
            },
            "/jobs/{id}": {"get": {"responses": {"200": described}}},
            "/models/{model}": {"get": {"responses": {"200": described}}},
        },
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(content))
    return Document(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/jobs", "GET /jobs"),
        ("/jobs/a", "GET /jobs/{id}"),
        ("/models/ft%3Aowner%2Fname", "GET /models/{model}"),
        ("/other", None),
        ("/jobs/a/b", None),
    ],
)
def test_a_request_finds_its_operation(document: Document, path: str, expected: str | None) -> None:
    assert expected == document.find("GET", path)


@pytest.mark.parametrize(
    "body",
    [{"id": "a"}, {"id": "a", "rate": 1.0, "model": "a", "note": None}, {"id": "a", "status": "paused"}],
)
def test_what_the_document_means_is_accepted(document: Document, body: Any) -> None:
    assert [] == document.answer_problems("GET /jobs/{id}", 200, "application/json", body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "answer: 'id' is a required property"),
        ({"id": None}, "answer.id: None is not of type 'string'"),
        ({"id": "a", "rate": 0}, "answer.rate: 0 is not valid under any of the given schemas"),
        ({"id": "a", "status": "done"}, "answer.status: 'done' is not one of ['running', 'paused']"),
    ],
)
def test_what_does_not_fit_is_told(document: Document, body: Any, problem: str) -> None:
    assert [problem] == document.answer_problems("GET /jobs/{id}", 200, "application/json", body)


def test_requests_and_queries_are_checked_too(document: Document) -> None:
    assert ["request: 'id' is a required property"] == document.request_problems(
        "POST /jobs", "application/json", {}
    )
    assert ["request: media type 'text/plain' is not one of ['application/json']"] == (
        document.request_problems("POST /jobs", "text/plain", "")
    )
    assert ["query: 'speed' is not a parameter", "query.limit: 'x' is not of type 'integer'"] == (
        document.query_problems("GET /jobs", {"speed": 1, "limit": "x"})
    )
