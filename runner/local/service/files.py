"""The routes of files."""

import asyncio
import hashlib
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from runner.canonical import sha256_of, sync_directory
from runner.local.identifiers import derived_id, new_id
from runner.local.rows import FileRow
from runner.local.service.bodies import page_limit
from runner.local.service.context import Service, idempotency_key, service_of
from runner.local.service.objects import file_object, list_object
from runner.local.service.refusals import ApiError, invalid, key_reused, no_such_file, unsupported
from runner.local.store import page

MAX_FILE_BYTES = 512 * 1024 * 1024
# Far above the longest example that any model takes; it bounds the memory that one upload needs.
MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_FORM_FIELDS = 8
DEFAULT_PAGE = 10_000
CHUNK_BYTES = 1 << 20
PURPOSE = "fine-tune"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An upload on disk that is not yet a file of the service."""

    path: Path
    size_bytes: int
    sha256: str


async def create_file(request: Request) -> Response:
    """POST /files: store an upload."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ApiError(415, "The request body must be a form, sent with 'Content-Type: multipart/form-data'.")
    service = service_of(request)
    async with request.form(max_files=1, max_fields=MAX_FORM_FIELDS) as form:
        upload = _checked_upload(form)
        received = await asyncio.to_thread(_receive, upload.file, service.layout.files)
        try:
            row = _keep(service, received, upload.filename or "file.jsonl", idempotency_key(request))
        finally:
            received.path.unlink(missing_ok=True)
    return JSONResponse(file_object(row))


async def list_files(request: Request) -> Response:
    """GET /files: newest first unless `order` says otherwise."""
    query = request.query_params
    rows = service_of(request).store.files(query.get("purpose"))
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid(f"Invalid 'order': found '{order}', expected asc or desc.", "order")
    listed = rows if order == "desc" else rows[::-1]
    found, has_more = page(listed, after=query.get("after"), limit=page_limit(request, DEFAULT_PAGE))
    return JSONResponse(list_object([file_object(row) for row in found], has_more=has_more))


async def retrieve_file(request: Request) -> Response:
    """GET /files/{id}."""
    return JSONResponse(file_object(_file_of(request)))


async def file_content(request: Request) -> Response:
    """GET /files/{id}/content: the bytes as they were sent."""
    row = _file_of(request)
    return FileResponse(service_of(request).layout.file(row.id), media_type="application/octet-stream")


async def delete_file(request: Request) -> Response:
    """DELETE /files/{id}, unless a job that is not finished reads it."""
    service, row = service_of(request), _file_of(request)
    for job in service.store.live_jobs():
        if row.id in (job.training_file, job.validation_file):
            raise invalid(f"File '{row.id}' is used by {job.id}, which is {job.status}.", "id", "file_in_use")
    service.store.remove_file(row.id)
    service.layout.file(row.id).unlink(missing_ok=True)
    return JSONResponse({"id": row.id, "object": "file", "deleted": True})


ROUTES = [
    Route("/files", create_file, methods=["POST"]),
    Route("/files", list_files, methods=["GET"]),
    Route("/files/{id}", retrieve_file, methods=["GET"]),
    Route("/files/{id}", delete_file, methods=["DELETE"]),
    Route("/files/{id}/content", file_content, methods=["GET"]),
]


def _checked_upload(form: FormData) -> UploadFile:
    for name in form:
        if name.startswith("expires_after"):
            raise unsupported("expires_after", "files that expire")
        if name not in ("file", "purpose"):
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    upload, purpose = form.get("file"), form.get("purpose")
    if purpose is None:
        raise invalid("Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter")
    if purpose != PURPOSE:
        raise invalid(f"'{purpose}' is not one of ['{PURPOSE}'] - 'purpose'", "purpose", "invalid_value")
    if not isinstance(upload, UploadFile):
        raise invalid("Missing required parameter: 'file'.", "file", "missing_required_parameter")
    return upload


def _receive(stream: BinaryIO, folder: Path) -> Received:
    """Copy an upload into the service's folder, checking every line on the way. Raises ApiError."""
    digest, size_bytes = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as copy:
        try:
            for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES + 1), b""), start=1):
                _check_line(number, line)
                copy.write(line)
                digest.update(line)
                size_bytes += len(line)
            if size_bytes == 0:
                raise invalid("File is empty.", "file")
            if size_bytes > MAX_FILE_BYTES:
                raise ApiError(413, f"The file is larger than {MAX_FILE_BYTES} bytes.", param="file")
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    return Received(path=Path(copy.name), size_bytes=size_bytes, sha256=digest.hexdigest())


def _check_line(number: int, line: bytes) -> None:
    if not line.strip():
        return
    if len(line) > MAX_LINE_BYTES:
        raise invalid(f"Line {number} is longer than {MAX_LINE_BYTES} bytes.", "file")
    try:
        is_dictionary = isinstance(json.loads(line.decode("utf-8")), dict)
    except (ValueError, RecursionError):
        is_dictionary = False
    if not is_dictionary:
        start = line[:20].decode("utf-8", "replace").strip()
        raise invalid(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {number} is not a dictionary (HINT: line starts with: "{start}...").',
            "file",
        )


def _keep(service: Service, received: Received, filename: str, key: str | None) -> FileRow:
    request_sha256 = sha256_of([filename, PURPOSE, received.sha256])
    file_id = derived_id("file", key) if key else new_id("file")
    known = service.store.file(file_id)
    if known is not None:
        if known.request_sha256 != request_sha256:
            raise key_reused("file")
        return known
    row = FileRow(
        id=file_id,
        filename=filename,
        purpose=PURPOSE,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
        created_at=service.now,
        request_sha256=request_sha256,
    )
    # In place before it is known: bytes without a row do no harm, a row without its bytes would.
    received.path.replace(service.layout.file(file_id))
    sync_directory(service.layout.files)
    service.store.add(row)
    return row


def _file_of(request: Request) -> FileRow:
    file_id = request.path_params["id"]
    row = service_of(request).store.file(file_id)
    if row is None:
        raise no_such_file(file_id)
    return row
