"""Removes what has expired."""

import asyncio
import logging
import sqlite3

from runner.local.rows import FileRow
from runner.local.service.context import Service
from runner.local.service.uploads import expire_upload

INTERVAL_S = 30.0

logger = logging.getLogger(__name__)


async def keep_clean(service: Service) -> None:
    """Remove expired files and uploads now and every half minute, until cancelled."""
    _remove_leftovers(service)
    while True:
        try:
            remove_expired(service)
        except (sqlite3.Error, OSError):
            logger.exception("expired files were not removed; tried again in %s s", INTERVAL_S)
        await asyncio.sleep(INTERVAL_S)


def _remove_leftovers(service: Service) -> None:
    """Remove what an earlier service was receiving when it ended."""
    for path in service.layout.files.glob(".incoming-*"):
        path.unlink(missing_ok=True)


def remove_expired(service: Service) -> None:
    """Remove the files whose time is over, but not under a job or batch, and the parts of overdue uploads."""
    for file in service.store.expired_files(service.now):
        if service.user_of_file(file.id) is None:
            service.store.remove(FileRow, file.id)
            service.layout.file(file.id).unlink(missing_ok=True)
    for upload in service.store.overdue_uploads(service.now):
        expire_upload(service, upload)
