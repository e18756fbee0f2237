"""What was about to be sent, on disk before it is sent."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from runner.canonical import append_durably, canonical_json
from runner.errors import RunnerError

Kind = Literal["upload", "job", "rerun"]


# The keys of a line, by its state.
_KEYS = {
    "intent": {"state", "kind", "key"},
    "done": {"state", "kind", "key", "id"},
    "refused": {"state", "kind", "key"},
}


class Journal:
    """An append-only file of intents and outcomes for one recipe and profile; every line is fsynced.

    `n_intended` counts the intents of this process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_intended = 0

    def intend(self, kind: Kind, key: str) -> None:
        """Record that a create is about to be sent."""
        self._append({"state": "intent", "kind": kind, "key": key})
        self.n_intended += 1

    def done(self, kind: Kind, key: str, remote_id: str) -> None:
        """Record what a create made."""
        self._append({"state": "done", "kind": kind, "key": key, "id": remote_id})

    def refused(self, kind: Kind, key: str) -> None:
        """Record that a create certainly made nothing."""
        self._append({"state": "refused", "kind": kind, "key": key})

    def outcome(self, kind: Kind, key: str) -> str | None:
        """The ID a create made, `unknown` after an intent without an outcome, None where nothing is open."""
        last = None
        for entry in self._entries():
            if (entry.get("kind"), entry.get("key")) == (kind, key):
                last = entry
        if last is None or last["state"] == "refused":
            return None
        return str(last["id"]) if last["state"] == "done" else "unknown"

    def open_intents(self) -> set[tuple[str, str]]:
        """The kinds and keys of all creates whose outcome is not known."""
        last = {(entry["kind"], entry["key"]): entry["state"] for entry in self._entries()}
        return {sent for sent, state in last.items() if state == "intent"}

    def _append(self, entry: dict[str, Any]) -> None:
        append_durably(self.path, canonical_json(entry))

    def _entries(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        for number, line in enumerate(self.path.read_bytes().split(b"\n"), start=1):
            # A line cut off by a power cut was never acted on: the request follows the fsync.
            is_cut_off = line.startswith(b"{") and not line.endswith(b"}")
            if line and not is_cut_off:
                yield self._entry(number, line)

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry: dict[str, Any] = json.loads(line)
            if entry.keys() == _KEYS[entry["state"]]:
                return entry
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        raise RunnerError(
            f"{self.path}:{number}: the journal of what was sent is damaged here, so a job could be sent "
            "twice. Nothing was sent. Look with `finetune jobs` whether the provider has a job of this "
            "recipe, cancel one that is not wanted, then delete the file."
        )


@contextmanager
def serialised(path: Path) -> Iterator[None]:
    """Hold a file lock, waiting for whoever has it; for reading, changing and writing one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def exclusive(path: Path, what: str, watch: str) -> Iterator[None]:
    """Hold a file lock; raises RunnerError when another process holds it. `watch` is a command to type."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunnerError(
                f"{what} is being run by another process on this machine. "
                f"Wait for it, or follow its job with {watch}."
            ) from None
        yield
