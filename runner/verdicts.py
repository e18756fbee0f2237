"""Remember what was found valid, so that checking it again needs no import of jsonschema or Jinja.

Kept for the user alone, never in a project: what a stranger's pull request brings along is not believed.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json, write_atomically

# Hashes of the last values that were valid; a few recipes, hosts and lockfiles for each project.
MAX_KEPT = 512
_DIGEST_BYTES = 32


def verdict_key(schema: str, value: Any) -> bytes | None:
    """The hash of a schema and a value; None for one that JSON cannot write."""
    try:
        return hashlib.sha256(schema.encode() + b"\0" + canonical_json(value)).digest()
    except (TypeError, ValueError, RecursionError):
        return None


def is_known_valid(key: bytes) -> bool:
    """Whether a value was found valid before."""
    return key in _read(_path())


def note_valid(key: bytes) -> None:
    """Remember that a value is valid; where nothing can be written, nothing is remembered."""
    path = _path()
    if path is not None:
        kept = [known for known in _read(path) if known != key][1 - MAX_KEPT :]
        with suppress(OSError):
            write_atomically(path, b"".join([*kept, key]), mode=0o600)


def _path() -> Path | None:
    """Under the user's cache: https://specifications.freedesktop.org/basedir-spec (2026-11)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification says to ignore a relative folder; here it would be the project's.
    if named.is_absolute():
        return named / "finetune-runner" / "valid"
    home = Path(os.environ.get("HOME", ""))
    return home / ".cache" / "finetune-runner" / "valid" if home.is_absolute() else None


def _read(path: Path | None) -> list[bytes]:
    try:
        content = path.read_bytes() if path is not None else b""
    except OSError:
        return []
    return [content[at : at + _DIGEST_BYTES] for at in range(0, len(content), _DIGEST_BYTES)]
