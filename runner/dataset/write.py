"""JSONL files written as a stream and named by the hash of what was written."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.dataset.value import DatasetFile
from runner.examples.read import Message


class ExampleWriter:
    """Writes examples of one side to a temporary file; `finish` gives it its content-addressed name."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".building.")
        self.folder = folder
        self.temporary = Path(name)
        self.stream = os.fdopen(handle, "wb")
        self.digest = hashlib.sha256()
        self.size_bytes = self.n_examples = self.n_tokens = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
        self.temporary.unlink(missing_ok=True)

    def write(self, messages: Iterable[Message], n_tokens: int) -> None:
        """Append one example as one line of compact, unescaped JSON, its keys in OpenAI's order."""
        line = training_line(messages)
        self.stream.write(line)
        self.digest.update(line)
        self.size_bytes += len(line)
        self.n_examples += 1
        self.n_tokens += n_tokens

    def finish(self, *, tokens_exact: bool) -> DatasetFile:
        """Move the file to `<sha256>.jsonl` in the folder."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        file = DatasetFile(
            sha256=self.digest.hexdigest(),
            size_bytes=self.size_bytes,
            n_examples=self.n_examples,
            n_tokens=self.n_tokens,
            tokens_exact=tokens_exact,
        )
        self.temporary.chmod(0o644)
        self.temporary.replace(self.folder / f"{file.sha256}.jsonl")
        return file


def training_line(messages: Iterable[Message]) -> bytes:
    """One line of a chat training file; the order of keys is fixed, so equal messages are equal bytes."""
    value = {"messages": [{"role": message.role, "content": message.content} for message in messages]}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
