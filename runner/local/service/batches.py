"""The routes of batches."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.canonical import sha256_of
from runner.local.identifiers import id_for
from runner.local.rows import BatchRow, BatchStatus
from runner.local.service.batch_input import CHAT_ENDPOINT
from runner.local.service.bodies import page_limit, read_object
from runner.local.service.context import Service, idempotency_key, service_of
from runner.local.service.objects import batch_object, text_list_object
from runner.local.service.refusals import invalid, invalid_value, key_reused, not_found
from runner.local.service.schemas import EXPIRY, METADATA, nullable
from runner.local.service.wording import check_body
from runner.local.store import page

WINDOW_S = 24 * 3600
DEFAULT_PAGE = 20
MAX_PAGE = 100
BATCH = {
    "type": "object",
    "properties": {
        "input_file_id": {"type": "string", "minLength": 1},
        "endpoint": {"enum": [CHAT_ENDPOINT]},
        "completion_window": {"enum": ["24h"]},
        "metadata": nullable(METADATA),
        "output_expires_after": nullable(EXPIRY),
    },
    "required": ["input_file_id", "endpoint", "completion_window"],
    "additionalProperties": False,
}


async def create_batch(request: Request) -> Response:
    """POST /batches: queue a file of requests."""
    service, body = service_of(request), await read_object(request)
    check_body(body, BATCH)
    batch_id = id_for("batch", idempotency_key(request))
    known = service.store.find(BatchRow, batch_id)
    if known is not None and known.request_sha256 != sha256_of(body):
        raise key_reused("batch")
    if known is None:
        known = _new_batch(service, batch_id, body)
        service.store.add(known)
        service.batch_wake.set()
    return JSONResponse(batch_object(known))


async def list_batches(request: Request) -> Response:
    """GET /batches: newest first."""
    rows, after = service_of(request).store.rows(BatchRow), request.query_params.get("after")
    limit = page_limit(request, DEFAULT_PAGE, at_least=1, at_most=MAX_PAGE)
    found, has_more = page(rows, after=after, limit=limit)
    return JSONResponse(text_list_object([batch_object(row) for row in found], has_more=has_more))


async def retrieve_batch(request: Request) -> Response:
    """GET /batches/{id}."""
    return JSONResponse(batch_object(_batch_of(request)))


async def cancel_batch(request: Request) -> Response:
    """POST /batches/{id}/cancel: the request in progress is given up, the others are not begun."""
    service, batch = service_of(request), _batch_of(request)
    allowed_from: tuple[BatchStatus, ...] = ("validating", "in_progress")
    now = service.now
    if not service.store.move_batch(batch.id, "cancelling", allowed_from=allowed_from, cancelling_at=now):
        raise invalid(
            f"Cannot cancel a batch with status '{batch.status}'.", "batch_id", "invalid_batch_status"
        )
    service.batch_wake.set()
    return JSONResponse(batch_object(_batch_of(request)))


ROUTES = [
    Route("/batches", create_batch, methods=["POST"]),
    Route("/batches", list_batches, methods=["GET"]),
    Route("/batches/{id}", retrieve_batch, methods=["GET"]),
    Route("/batches/{id}/cancel", cancel_batch, methods=["POST"]),
]


def _new_batch(service: Service, batch_id: str, body: dict[str, Any]) -> BatchRow:
    file = service.store.file(body["input_file_id"], service.now)
    if file is None or file.purpose != "batch":
        found = "no such file" if file is None else f"its purpose is '{file.purpose}', expected 'batch'"
        raise invalid_value(f"Invalid 'input_file_id': {body['input_file_id']} ({found}).", "input_file_id")
    expiry = body.get("output_expires_after")
    return BatchRow(
        id=batch_id,
        created_at=service.now,
        endpoint=body["endpoint"],
        input_file_id=file.id,
        completion_window=body["completion_window"],
        metadata=body.get("metadata"),
        output_expires_after_s=None if expiry is None else int(expiry["seconds"]),
        request_sha256=sha256_of(body),
        expires_at=service.now + WINDOW_S,
    )


def _batch_of(request: Request) -> BatchRow:
    batch_id = request.path_params["id"]
    batch = service_of(request).store.find(BatchRow, batch_id)
    if batch is None:
        raise not_found(f"No batch found with id '{batch_id}'.", "batch_id")
    return batch
