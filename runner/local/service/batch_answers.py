"""Keeps the answers of a batch while it runs, so that a restart asks nothing again."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

EXPIRED = "batch_expired"
REASONS = {
    EXPIRED: "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request was not executed because the batch was cancelled.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is written so far; `n_unasked` requests were given up, for `has_expired` or a cancellation."""

    n_completed: int = 0
    n_failed: int = 0
    n_unasked: int = 0
    has_expired: bool = False
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def n_lines(self) -> int:
        """How many requests need no more work."""
        return self.n_completed + self.n_failed + self.n_unasked

    def with_line(self, line: dict[str, Any]) -> "Tally":
        """Count one more line."""
        if line["response"] is None:
            has_expired = self.has_expired or line["error"]["code"] == EXPIRED
            return replace(self, n_unasked=self.n_unasked + 1, has_expired=has_expired)
        if line["response"]["status_code"] != 200:
            return replace(self, n_failed=self.n_failed + 1)
        usage = line["response"]["body"]["usage"]
        return replace(
            self,
            n_completed=self.n_completed + 1,
            input_tokens=self.input_tokens + usage["prompt_tokens"],
            output_tokens=self.output_tokens + usage["completion_tokens"],
        )


class BatchAnswers:
    """The output and error lines of one batch in its folder, in the order of its requests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.output = folder / "output.jsonl"
        self.errors = folder / "errors.jsonl"
        self.tally = Tally()
        for path in (self.output, self.errors):
            for line in _whole_lines(path):
                self.tally = self.tally.with_line(line)

    def add(self, line: dict[str, Any]) -> None:
        """Write one line to the disk."""
        response = line["response"]
        is_answer = response is not None and response["status_code"] == 200
        with (self.output if is_answer else self.errors).open("ab") as stream:
            stream.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.tally = self.tally.with_line(line)


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read what an earlier service wrote, and remove a line that it did not finish."""
    if not path.exists():
        return
    with path.open("r+b") as stream:
        end = 0
        for line in stream:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            yield json.loads(line)
        stream.truncate(end)
