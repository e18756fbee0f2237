"""The routes of files."""

import asyncio
import json
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from runner.local.rows import FileRow
from runner.local.service.bodies import check_object, chosen, page_limit, require_form
from runner.local.service.context import idempotency_key, service_of
from runner.local.service.objects import file_object, text_list_object
from runner.local.service.refusals import invalid, invalid_value, no_such_file
from runner.local.service.schemas import EXPIRES_AFTER
from runner.local.service.storing import MAX_FILE_BYTES, PURPOSES, NewFile, keep, receive
from runner.local.store import page

MAX_FORM_FIELDS = 8
DEFAULT_PAGE = 10_000
FINE_TUNE = "fine-tune"
EXPIRY_FIELDS = {"expires_after[anchor]": "anchor", "expires_after[seconds]": "seconds"}


async def create_file(request: Request) -> Response:
    """POST /files: store an upload."""
    require_form(request)
    service = service_of(request)
    async with request.form(max_files=1, max_fields=MAX_FORM_FIELDS) as form:
        upload, new = _checked_upload(form, idempotency_key(request))
        received = await asyncio.to_thread(
            receive, [upload.file], service.layout.files, new.purpose, MAX_FILE_BYTES
        )
        try:
            row = keep(service, received, new)
        finally:
            received.path.unlink(missing_ok=True)
    return JSONResponse(file_object(row))


async def list_files(request: Request) -> Response:
    """GET /files: newest first unless `order` says otherwise."""
    service, query = service_of(request), request.query_params
    rows = service.store.files(service.now, query.get("purpose"))
    listed = rows if chosen(request, "order", ("desc", "asc")) == "desc" else rows[::-1]
    limit = page_limit(request, DEFAULT_PAGE, at_least=1)
    found, has_more = page(listed, after=query.get("after"), limit=limit)
    return JSONResponse(text_list_object([file_object(row) for row in found], has_more=has_more))


async def retrieve_file(request: Request) -> Response:
    """GET /files/{id}."""
    return JSONResponse(file_object(_file_of(request)))


async def file_content(request: Request) -> Response:
    """GET /files/{id}/content: the bytes as they were sent."""
    row = _file_of(request)
    return FileResponse(service_of(request).layout.file(row.id), media_type="application/octet-stream")


async def delete_file(request: Request) -> Response:
    """DELETE /files/{id}, unless a job or batch that is not finished reads it."""
    service, row = service_of(request), _file_of(request)
    user = service.user_of_file(row.id)
    if user is not None:
        raise invalid(f"File '{row.id}' is used by {user.id}, which is {user.status}.", "id", "file_in_use")
    service.store.remove(FileRow, row.id)
    service.layout.file(row.id).unlink(missing_ok=True)
    return JSONResponse({"id": row.id, "object": "file", "deleted": True})


ROUTES = [
    Route("/files", create_file, methods=["POST"]),
    Route("/files", list_files, methods=["GET"]),
    Route("/files/{id}", retrieve_file, methods=["GET"]),
    Route("/files/{id}", delete_file, methods=["DELETE"]),
    Route("/files/{id}/content", file_content, methods=["GET"]),
]


def check_purpose(purpose: Any) -> str:
    """Check what a file is for. Raises ApiError."""
    if purpose is None:
        raise invalid("Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter")
    if purpose not in PURPOSES:
        raise invalid_value(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", "purpose")
    return str(purpose)


def _checked_upload(form: FormData, key: str | None) -> tuple[UploadFile, NewFile]:
    for name in form:
        if name not in ("file", "purpose", "expires_after", *EXPIRY_FIELDS):
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    upload, purpose = form.get("file"), check_purpose(form.get("purpose"))
    if not isinstance(upload, UploadFile):
        raise invalid("Missing required parameter: 'file'.", "file", "missing_required_parameter")
    filename = upload.filename or "file.jsonl"
    lifetime_s = _lifetime_s(form)
    return upload, NewFile(filename=filename, purpose=purpose, expires_after_s=lifetime_s, key=key)


def _lifetime_s(form: FormData) -> int | None:
    """Read `expires_after`, as fields with brackets or as one JSON object. Raises ApiError."""
    fields = {EXPIRY_FIELDS[name]: form[name] for name in form if name in EXPIRY_FIELDS}
    expiry: Any = {name: _number_or_text(value) for name, value in fields.items()}
    if "expires_after" in form:
        try:
            expiry = json.loads(str(form["expires_after"]))
        except (ValueError, RecursionError) as error:
            raise invalid_value(f"'expires_after' is not JSON: {error}", "expires_after") from error
    if not expiry:
        return None
    check_object({"expires_after": expiry}, EXPIRES_AFTER)
    return int(expiry["seconds"])


def _number_or_text(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _file_of(request: Request) -> FileRow:
    service, file_id = service_of(request), request.path_params["id"]
    row = service.store.file(file_id, service.now)
    if row is None:
        raise no_such_file(file_id)
    return row
