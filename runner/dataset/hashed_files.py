"""Hashes of files that are not read again while the file system says that nothing touched them."""

import json
import time
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json, sha256_file, write_atomically

# Two changes within the file system's clock tick look alike, so a file touched this shortly before it was
# hashed is hashed again, as git does: https://git-scm.com/docs/racy-git (2026-11)
SETTLED_NS = 2_000_000_000

# What tells one state of a file from another: size, last change of content and of anything, inode.
Stamp = tuple[int, int, int, int]
# A hash, a stamp, and when hashing began.
_COLUMNS = 6


class HashedFiles:
    """A table of hashes; with a path it is kept there for later processes.

    What is not `trusted` is read in any case, and only noted.
    """

    def __init__(self, path: Path | None = None, *, trusted: bool = True) -> None:
        self._path = path
        self._trusted = trusted
        self._known = _load(path) if path else {}
        self._is_new = False

    def sha256_of(self, path: Path, name: str) -> tuple[str, int]:
        """Hash and size of a file known by a name. Raises OSError."""
        now, before = time.time_ns(), _stamp(path)
        known = self._known.get(name)
        if self._trusted and known is not None and tuple(known[1:5]) == before and _was_settled(known):
            return str(known[0]), before[0]
        digest = sha256_file(path)
        after = _stamp(path)
        noted = [digest, *after, now]
        # When it was hashed says something only once that is late enough.
        if before == after and (known is None or noted[:5] != known[:5] or _was_settled(noted)):
            self._known[name] = noted
            self._is_new = True
        return digest, after[0]

    def is_other(self, name: str, size_bytes: int) -> bool:
        """Whether a file of that size certainly is not what it was when it was hashed last."""
        known = self._known.get(name)
        return known is None or known[1] != size_bytes

    def save(self) -> None:
        """Keep what was learned."""
        if self._path is not None and self._is_new:
            write_atomically(self._path, canonical_json(self._known))
            self._is_new = False


def _load(path: Path) -> dict[str, list[Any]]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        # Without it everything is hashed.
        return {}
    is_table = isinstance(known, dict) and all(
        isinstance(item, list) and len(item) == _COLUMNS for item in known.values()
    )
    return known if is_table else {}


def _was_settled(known: list[Any]) -> bool:
    _, _, modified_ns, changed_ns, _, hashed_ns = known
    return bool(max(modified_ns, changed_ns) + SETTLED_NS < hashed_ns)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
