"""The routes of chat completions that were stored."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.local.rows import CompletionRow
from runner.local.service.bodies import chosen, metadata_filter, page_limit, read_object
from runner.local.service.context import service_of
from runner.local.service.objects import text_list_object
from runner.local.service.refusals import not_found
from runner.local.service.schemas import METADATA
from runner.local.service.wording import check_body
from runner.local.store import page

DEFAULT_PAGE = 20
UPDATE = {
    "type": "object",
    "properties": {"metadata": {"if": {"type": "null"}, "else": METADATA}},
    "required": ["metadata"],
    "additionalProperties": False,
}


async def list_completions(request: Request) -> Response:
    """GET /chat/completions: oldest first unless `order` says otherwise; `model` and `metadata` choose."""
    query, wanted = request.query_params, metadata_filter(request)
    rows = service_of(request).store.rows(CompletionRow)
    if chosen(request, "order", ("asc", "desc")) == "asc":
        rows = rows[::-1]
    model = query.get("model")
    matching = [row for row in rows if model in (None, row.model) and wanted(row.metadata)]
    limit = page_limit(request, DEFAULT_PAGE)
    found, has_more = page(matching, after=query.get("after"), limit=limit)
    return JSONResponse(text_list_object([_object(row) for row in found], has_more=has_more))


async def retrieve_completion(request: Request) -> Response:
    """GET /chat/completions/{id}."""
    return JSONResponse(_object(_row_of(request)))


async def update_completion(request: Request) -> Response:
    """POST /chat/completions/{id}: replace the metadata, which is all that can be changed."""
    service, row = service_of(request), _row_of(request)
    body = await read_object(request)
    check_body(body, UPDATE)
    changed = replace(row, metadata=body["metadata"])
    service.store.replace(changed)
    return JSONResponse(_object(changed))


async def delete_completion(request: Request) -> Response:
    """DELETE /chat/completions/{id}."""
    row = _row_of(request)
    service_of(request).store.remove(CompletionRow, row.id)
    return JSONResponse({"object": "chat.completion.deleted", "id": row.id, "deleted": True})


async def list_messages(request: Request) -> Response:
    """GET /chat/completions/{id}/messages: what was asked, in order unless `order` says otherwise."""
    row = _row_of(request)
    messages = [_message(row, number, message) for number, message in enumerate(row.messages)]
    if chosen(request, "order", ("asc", "desc")) == "desc":
        messages.reverse()
    ids = [message["id"] for message in messages]
    after = request.query_params.get("after")
    rest = messages[ids.index(after) + 1 :] if after in ids else [] if after else messages
    limit = page_limit(request, DEFAULT_PAGE)
    return JSONResponse(text_list_object(rest[:limit], has_more=len(rest) > limit))


PATH = "/chat/completions/{id}"
ROUTES = [
    Route("/chat/completions", list_completions, methods=["GET"]),
    Route(PATH, retrieve_completion, methods=["GET"]),
    Route(PATH, update_completion, methods=["POST"]),
    Route(PATH, delete_completion, methods=["DELETE"]),
    Route(f"{PATH}/messages", list_messages, methods=["GET"]),
]


def _row_of(request: Request) -> CompletionRow:
    completion_id = request.path_params["id"]
    row = service_of(request).store.find(CompletionRow, completion_id)
    if row is None:
        raise not_found(f"No such stored chat completion: {completion_id}", "completion_id")
    return row


def _object(row: CompletionRow) -> dict[str, Any]:
    return {**row.completion, "metadata": row.metadata}


def _message(row: CompletionRow, number: int, message: Any) -> dict[str, Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {
        "id": f"{row.id}-{number}",
        "role": message["role"],
        "content": None if parts else content,
        "content_parts": parts,
        "refusal": None,
    }
