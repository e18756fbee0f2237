"""Files written as a stream and named by the hash of what was written."""

import hashlib
import json
import os
import tempfile
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.dataset.batch import Bytes
from runner.dataset.conversation import rich_bytes
from runner.dataset.value import DatasetFile
from runner.examples.read import Example, Message

# So many bytes are hashed and written together, and so often more wait for that.
_TOGETHER_BYTES = 1 << 20
_MAX_WAITING = 4
# Fewer than these are hashed and written one by one.
_FEW = 16
# How much the disk is told to begin with at once.
_BEGUN_BYTES = 32 << 20


class HashedFile:
    """Writes to a temporary file; `keep` gives it its content-addressed name.

    A thread hashes and writes, while more is made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".building.")
        self.folder = folder
        self.temporary = Path(name)
        self.stream = os.fdopen(handle, "wb")
        self.digest = hashlib.sha256()
        self.size_bytes = 0
        self._gathered: list[Bytes] = []
        self._n_gathered = self._n_begun = 0
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
        self.stream.close()
        self.temporary.unlink(missing_ok=True)

    def write(self, content: Bytes) -> None:
        """Append bytes. Raises OSError, also for what was appended before."""
        self.size_bytes += len(content)
        self._gathered.append(content)
        self._n_gathered += len(content)
        if self._n_gathered >= _TOGETHER_BYTES:
            self._finish_all_but(_MAX_WAITING)
            self._waiting.append(self._thread.submit(self._append, self._gathered))
            self._gathered, self._n_gathered = [], 0

    def written(self) -> Path:
        """The file with all that was written so far. Raises OSError."""
        self._finish_all_but(0)
        self._append(self._gathered)
        self._gathered, self._n_gathered = [], 0
        self.stream.flush()
        return self.temporary

    def keep(self, suffix: str) -> str:
        """Move the file to `<sha256><suffix>` in the folder, safe from a power cut; returns the hash."""
        self.written()
        os.fsync(self.stream.fileno())
        name = self.digest.hexdigest()
        self.temporary.chmod(0o644)
        self.temporary.replace(self.folder / f"{name}{suffix}")
        return name

    def _finish_all_but(self, count: int) -> None:
        while len(self._waiting) > count:
            self._waiting.popleft().result()

    def _append(self, contents: list[Bytes]) -> None:
        # Many small ones are cheaper as one; few large ones without a copy.
        for content in contents if len(contents) < _FEW else (b"".join(contents),):
            self.digest.update(content)
            self.stream.write(content)
        self._begin_writing()

    def _begin_writing(self) -> None:
        """Let the disk begin with what was written, so that `keep` does not wait for all of it."""
        written = self.stream.tell()
        if written - self._n_begun >= _BEGUN_BYTES and hasattr(os, "posix_fadvise"):
            # Linux starts to write what it is told nobody needs, and keeps it until that is done.
            size = written - self._n_begun
            os.posix_fadvise(self.stream.fileno(), self._n_begun, size, os.POSIX_FADV_DONTNEED)
            self._n_begun = written


class ExampleWriter(HashedFile):
    """Writes the examples of one side of the split."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.n_examples = self.n_tokens = 0

    def add(self, lines: Bytes, n_examples: int, n_tokens: int) -> None:
        """Append examples, each one line of `training_line`."""
        self.write(lines)
        self.n_examples += n_examples
        self.n_tokens += n_tokens

    def finish(self) -> DatasetFile:
        """Keep the file as `<sha256>.jsonl`; its tokens are counted later, by who needs them."""
        return DatasetFile(
            sha256=self.keep(".jsonl"),
            size_bytes=self.size_bytes,
            n_examples=self.n_examples,
            n_tokens=self.n_tokens,
            tokens_exact=False,
        )


def example_line(example: Example) -> bytes:
    """The line of an example in a training file."""
    return training_line(example.messages) if example.line is None else rich_bytes(example.line).line


def training_line(messages: Iterable[Message]) -> bytes:
    """One line of compact, unescaped JSON for a chat training file.

    The order of keys is OpenAI's and fixed, so equal messages are equal bytes.
    """
    value = {"messages": [{"role": message.role, "content": message.content} for message in messages]}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
