"""Counts that were made before, by counter and by the hash of what was counted."""

import json
import sqlite3
import sys
from array import array
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from runner.tokens.blocks import Totals, Weighed

# A cache that grew beyond this begins anew; about 8 bytes are kept of an example.
MAX_STORE_BYTES = 256 << 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS weights (
    counter TEXT, sha256 BLOB, n_tokens INTEGER, n_inexact INTEGER, longest INTEGER, roles TEXT, lengths BLOB,
    PRIMARY KEY (counter, sha256)
) WITHOUT ROWID
"""


class CountStore:
    """A cache on disk; a damaged or unwritable one is as good as an empty one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = self._open()

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def find(self, counter: str, sha256: bytes) -> Weighed | None:
        """What was kept for content; None where nothing was."""
        row = self._row("n_tokens, n_inexact, roles, lengths", counter, sha256)
        if row is None:
            return None
        lengths = array("I", row[3])
        if sys.byteorder == "big":
            lengths.byteswap()
        return Weighed(n_tokens=row[0], n_inexact=row[1], roles=json.loads(row[2]), lengths=lengths)

    def find_totals(self, counter: str, sha256: bytes) -> Totals | None:
        """As `find`, without reading the length of every line."""
        row = self._row("n_tokens, n_inexact, longest", counter, sha256)
        return None if row is None else Totals(n_tokens=row[0], n_inexact=row[1], longest=row[2])

    def keep(self, counter: str, sha256: bytes, weighed: Weighed) -> None:
        """Keep what was counted; `save` makes it last."""
        lengths = array("I", weighed.lengths)
        if sys.byteorder == "big":
            lengths.byteswap()
        totals = weighed.totals
        numbers = (totals.n_tokens, totals.n_inexact, totals.longest)
        values = (counter, sha256, *numbers, json.dumps(weighed.roles), lengths.tobytes())
        with suppress(sqlite3.Error):
            self._database.execute("INSERT OR REPLACE INTO weights VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def save(self) -> None:
        """Write what was kept."""
        with suppress(sqlite3.Error):
            self._database.commit()

    def _row(self, columns: str, counter: str, sha256: bytes) -> tuple[Any, ...] | None:
        query = f"SELECT {columns} FROM weights WHERE counter = ? AND sha256 = ?"  # noqa: S608 - our names
        try:
            row: tuple[Any, ...] | None = self._database.execute(query, (counter, sha256)).fetchone()
        except sqlite3.Error:
            return None
        return row

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > MAX_STORE_BYTES:
                self.path.unlink()
            return self._connect(str(self.path))
        except (OSError, sqlite3.Error):
            with suppress(OSError):
                self.path.unlink()
            return self._connect(":memory:")

    def _connect(self, name: str) -> sqlite3.Connection:
        database = sqlite3.connect(name, timeout=30)
        try:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_SCHEMA)
        except sqlite3.Error:
            with closing(database):
                raise
        return database
