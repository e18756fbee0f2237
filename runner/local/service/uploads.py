"""The routes of uploads: files that arrive in parts."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.canonical import sha256_of
from runner.local.identifiers import id_for, new_id
from runner.local.rows import FileRow, PartRow, UploadRow
from runner.local.service.bodies import check_object, read_object, require_form
from runner.local.service.context import Service, idempotency_key, service_of
from runner.local.service.objects import part_object, upload_object
from runner.local.service.refusals import ApiError, invalid, invalid_value, key_reused, not_found
from runner.local.service.schemas import UPLOAD, UPLOAD_COMPLETION
from runner.local.service.storing import MAX_BATCH_BYTES, MAX_UPLOAD_BYTES, NewFile, Received, keep, receive

LIFETIME_S = 3600
MAX_PART_BYTES = 64 * 1024 * 1024
MAX_FORM_FIELDS = 2


async def create_upload(request: Request) -> Response:
    """POST /uploads: announce a file."""
    service = service_of(request)
    body = await read_object(request)
    check_object(body, UPLOAD)
    most = MAX_BATCH_BYTES if body["purpose"] == "batch" else MAX_UPLOAD_BYTES
    if body["bytes"] > most:
        raise invalid_value(f"{body['bytes']} is greater than the maximum of {most} - 'bytes'", "bytes")
    upload_id = id_for("upload", idempotency_key(request))
    known = service.store.find(UploadRow, upload_id)
    if known is None:
        known = _new_upload(service, upload_id, body)
        service.layout.upload(upload_id).mkdir(parents=True, exist_ok=True)
        service.store.add(known)
    elif known.request_sha256 != sha256_of(body):
        raise key_reused("upload")
    return JSONResponse(_object(service, known))


async def add_part(request: Request) -> Response:
    """POST /uploads/{id}/parts: take one piece; pieces may arrive in any order, several at once."""
    require_form(request)
    service, upload = service_of(request), _pending_upload(request)
    async with request.form(max_files=1, max_fields=MAX_FORM_FIELDS) as form:
        for name in form:
            if name != "data":
                raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        data = form.get("data")
        if not isinstance(data, UploadFile):
            raise invalid("Missing required parameter: 'data'.", "data", "missing_required_parameter")
        folder = service.layout.upload(upload.id)
        received = await asyncio.to_thread(receive, [data.file], folder, "part", MAX_PART_BYTES)
    try:
        part = _keep_part(service, _pending_upload(request), received)
    finally:
        received.path.unlink(missing_ok=True)
    return JSONResponse(part_object(part))


async def complete_upload(request: Request) -> Response:
    """POST /uploads/{id}/complete: make the parts, in the order named, one file."""
    service, body = service_of(request), await read_object(request)
    check_object(body, UPLOAD_COMPLETION)
    upload = _upload_of(request)
    if upload.status == "completed" and upload.completion_sha256 == sha256_of(body):
        # The answer to the first completion was lost: it is given again.
        return JSONResponse(_object(service, upload))
    parts = _chosen_parts(service, _pending_upload(request), body["part_ids"])
    received = await asyncio.to_thread(_join, service, upload, parts)
    try:
        _check_md5(received, body.get("md5"))
        # Looked at again: another request may have ended it while the parts were read.
        _pending_upload(request)
        with service.store.transaction():
            file = keep(service, received, _new_file(upload))
            changes = {"file_id": file.id, "completion_sha256": sha256_of(body)}
            service.store.move_upload(upload.id, "completed", **changes)
    finally:
        received.path.unlink(missing_ok=True)
    shutil.rmtree(service.layout.upload(upload.id), ignore_errors=True)
    return JSONResponse(_object(service, _upload_of(request)))


async def cancel_upload(request: Request) -> Response:
    """POST /uploads/{id}/cancel: no more parts may be added."""
    service, upload = service_of(request), _pending_upload(request)
    service.store.move_upload(upload.id, "cancelled")
    shutil.rmtree(service.layout.upload(upload.id), ignore_errors=True)
    return JSONResponse(_object(service, _upload_of(request)))


ROUTES = [
    Route("/uploads", create_upload, methods=["POST"]),
    Route("/uploads/{id}/parts", add_part, methods=["POST"]),
    Route("/uploads/{id}/complete", complete_upload, methods=["POST"]),
    Route("/uploads/{id}/cancel", cancel_upload, methods=["POST"]),
]


def _new_upload(service: Service, upload_id: str, body: dict[str, Any]) -> UploadRow:
    expires_after = body.get("expires_after")
    return UploadRow(
        id=upload_id,
        filename=body["filename"],
        purpose=body["purpose"],
        size_bytes=int(body["bytes"]),
        mime_type=body["mime_type"],
        created_at=service.now,
        expires_at=service.now + LIFETIME_S,
        expires_after_s=None if expires_after is None else int(expires_after["seconds"]),
        request_sha256=sha256_of(body),
    )


def _keep_part(service: Service, upload: UploadRow, received: Received) -> PartRow:
    taken = sum(part.size_bytes for part in service.store.parts(upload.id)) + received.size_bytes
    if taken > MAX_UPLOAD_BYTES:
        raise ApiError(413, f"The parts are larger than {MAX_UPLOAD_BYTES} bytes.", param="data")
    part = PartRow(
        id=new_id("part"), upload_id=upload.id, created_at=service.now, size_bytes=received.size_bytes
    )
    received.path.replace(service.layout.upload(upload.id) / part.id)
    service.store.add(part)
    return part


def _chosen_parts(service: Service, upload: UploadRow, part_ids: Sequence[str]) -> list[PartRow]:
    known = {part.id: part for part in service.store.parts(upload.id)}
    for index, part_id in enumerate(part_ids):
        if part_id not in known:
            raise invalid_value(f"No such Part object in {upload.id}: {part_id}", f"part_ids.{index}")
        if part_id in part_ids[:index]:
            raise invalid_value(f"The part {part_id} is named twice.", f"part_ids.{index}")
    parts = [known[part_id] for part_id in part_ids]
    n_bytes = sum(part.size_bytes for part in parts)
    if n_bytes != upload.size_bytes:
        expected = f"but the Upload was created for {upload.size_bytes} bytes."
        raise invalid_value(f"The parts have {n_bytes} bytes, {expected}", "part_ids")
    return parts


def _join(service: Service, upload: UploadRow, parts: Sequence[PartRow]) -> Received:
    folder = service.layout.upload(upload.id)
    streams = _streams([folder / part.id for part in parts])
    return receive(streams, service.layout.files, upload.purpose, MAX_UPLOAD_BYTES)


def _streams(paths: Sequence[Path]) -> Iterator[BinaryIO]:
    """Open one part at a time."""
    for path in paths:
        with path.open("rb") as stream:
            yield stream


def _check_md5(received: Received, md5: str | None) -> None:
    if md5 is not None and md5.lower() != received.md5:
        raise invalid_value(
            f"The md5 checksum of the parts is {received.md5}, but {md5} was expected.", "md5"
        )


def _new_file(upload: UploadRow) -> NewFile:
    return NewFile(filename=upload.filename, purpose=upload.purpose, expires_after_s=upload.expires_after_s)


def _object(service: Service, upload: UploadRow) -> dict[str, Any]:
    file = None if upload.file_id is None else service.store.find(FileRow, upload.file_id)
    return upload_object(upload, file)


def _upload_of(request: Request) -> UploadRow:
    service, upload_id = service_of(request), request.path_params["id"]
    upload = service.store.find(UploadRow, upload_id)
    if upload is None:
        raise not_found(f"No such Upload object: {upload_id}", "upload_id")
    if upload.status == "pending" and upload.expires_at <= service.now:
        expire_upload(service, upload)
        return _upload_of(request)
    return upload


def _pending_upload(request: Request) -> UploadRow:
    upload = _upload_of(request)
    if upload.status != "pending":
        raise _ended(upload)
    return upload


def expire_upload(service: Service, upload: UploadRow) -> None:
    """End an upload whose hour is over, and remove its parts."""
    service.store.move_upload(upload.id, "expired")
    shutil.rmtree(service.layout.upload(upload.id), ignore_errors=True)


def _ended(upload: UploadRow) -> ApiError:
    message = f"The Upload {upload.id} is {upload.status}; only a pending one takes parts or can be ended."
    return invalid(message, "upload_id", "invalid_upload_status")
