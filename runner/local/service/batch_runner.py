"""Works through batches, one request at a time, also after a restart."""

import asyncio
import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from runner.canonical import sha256_file
from runner.local.identifiers import derived_id, new_id
from runner.local.rows import BatchRow, BatchStatus, FileRow
from runner.local.service.asking import complete
from runner.local.service.batch_answers import EXPIRED, REASONS, BatchAnswers
from runner.local.service.batch_input import BatchRequest, check_input, read_requests
from runner.local.service.context import Service
from runner.local.service.refusals import ApiError, invalid_value

RETRY_S = 5.0
CHECK_S = 0.2

logger = logging.getLogger(__name__)


async def run_batches(service: Service) -> None:
    """Work through all batches, then wait for more, until cancelled."""
    while True:
        service.batch_wake.clear()
        try:
            for batch in service.store.live_batches():
                await _run(service, batch.id)
            await service.batch_wake.wait()
        except (sqlite3.Error, OSError):
            logger.exception("the batches stopped; they go on in %s s", RETRY_S)
            await asyncio.sleep(RETRY_S)


async def _run(service: Service, batch_id: str) -> None:
    batch = _current(service, batch_id)
    if batch.status == "validating":
        await _check(service, batch)
        batch = _current(service, batch_id)
    if batch.status == "failed":
        return
    answers = BatchAnswers(service.layout.batch(batch.id))
    # A batch that was cancelled before it was looked at has no requests that are known to be sound.
    if batch.in_progress_at is not None:
        await _ask_all(service, batch, answers)
    await _finish(service, _current(service, batch.id), answers)


async def _check(service: Service, batch: BatchRow) -> None:
    path = service.layout.file(batch.input_file_id)
    checked = await asyncio.to_thread(check_input, path, batch.endpoint)
    now = service.now
    if checked.errors:
        to: BatchStatus = "failed"
        changes: dict[str, Any] = {"failed_at": now, "errors": checked.errors}
    else:
        to = "in_progress"
        changes = {"in_progress_at": now, "n_requests": checked.n_requests, "model": checked.model}
    service.store.move_batch(batch.id, to, allowed_from=("validating",), **changes)


async def _ask_all(service: Service, batch: BatchRow, answers: BatchAnswers) -> None:
    n_done = answers.tally.n_lines
    for number, request in enumerate(read_requests(service.layout.file(batch.input_file_id))):
        if number < n_done:
            continue
        answers.add(await _line(service, batch, request))
        service.store.update_batch(
            batch.id,
            n_completed=answers.tally.n_completed,
            n_failed=answers.tally.n_failed,
            input_tokens=answers.tally.input_tokens,
            output_tokens=answers.tally.output_tokens,
        )


async def _line(service: Service, batch: BatchRow, request: BatchRequest) -> dict[str, Any]:
    """Ask, unless the batch is to stop before there is an answer."""
    asking = asyncio.create_task(_ask(service, request))
    try:
        while (reason := _reason_to_stop(service, batch)) is None:
            done, _ = await asyncio.wait({asking}, timeout=CHECK_S)
            if done:
                return asking.result()
    finally:
        asking.cancel()
    return _unasked(request, reason)


def _reason_to_stop(service: Service, batch: BatchRow) -> str | None:
    if _current(service, batch.id).status == "cancelling":
        return "batch_cancelled"
    return EXPIRED if batch.expires_at <= service.now else None


async def _ask(service: Service, request: BatchRequest) -> dict[str, Any]:
    try:
        if request.body.get("stream"):
            raise invalid_value("'stream' is not supported in a batch.", "stream")
        status, body = 200, await complete(service, request.body)
    except ApiError as error:
        status, body = error.status, error.envelope
    response = {"status_code": status, "request_id": new_id("req"), "body": body}
    return {"id": new_id("batch_req"), "custom_id": request.custom_id, "response": response, "error": None}


def _unasked(request: BatchRequest, reason: str) -> dict[str, Any]:
    error = {"code": reason, "message": REASONS[reason]}
    return {"id": new_id("batch_req"), "custom_id": request.custom_id, "response": None, "error": error}


async def _finish(service: Service, batch: BatchRow, answers: BatchAnswers) -> None:
    service.store.move_batch(batch.id, "finalizing", allowed_from=("in_progress",), finalizing_at=service.now)
    output = await asyncio.to_thread(_file, service, batch, answers.output, "output")
    errors = await asyncio.to_thread(_file, service, batch, answers.errors, "error")
    outcome: BatchStatus = "completed"
    if batch.cancelling_at is not None:
        outcome = "cancelled"
    elif answers.tally.has_expired:
        outcome = "expired"
    changes: dict[str, Any] = {f"{outcome}_at": service.now}
    with service.store.transaction():
        for name, file in (("output_file_id", output), ("error_file_id", errors)):
            if file is not None:
                service.store.add(file)
                changes[name] = file.id
        allowed_from: tuple[BatchStatus, ...] = ("in_progress", "finalizing", "cancelling")
        service.store.move_batch(batch.id, outcome, allowed_from=allowed_from, **changes)
    shutil.rmtree(service.layout.batch(batch.id), ignore_errors=True)


def _file(service: Service, batch: BatchRow, lines: Path, kind: str) -> FileRow | None:
    """Make written lines a file; they stay where they are until the file is known."""
    if not lines.exists() or not lines.stat().st_size:
        return None
    file_id = derived_id("file", f"{batch.id}/{kind}")
    path = service.layout.file(file_id)
    shutil.copyfile(lines, path)
    lifetime_s = batch.output_expires_after_s
    return FileRow(
        id=file_id,
        filename=f"{batch.id}_{kind}.jsonl",
        purpose="batch_output",
        size_bytes=path.stat().st_size,
        sha256=sha256_file(path),
        created_at=service.now,
        expires_at=None if lifetime_s is None else service.now + lifetime_s,
    )


def _current(service: Service, batch_id: str) -> BatchRow:
    batch = service.store.find(BatchRow, batch_id)
    if batch is None:
        raise AssertionError(f"BUG: the batch {batch_id} is gone")
    return batch
