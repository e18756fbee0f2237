"""The conversations of a locked run, as long as the files of its build are on this machine."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.dataset.split import Side
from runner.dataset.value import DatasetFile
from runner.errors import RunnerError
from runner.examples.read import Example, Message
from runner.lockfile import LockedRun
from runner.review.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedData:
    """A locked run, and the folder of datasets where its files would be."""

    run: LockedRun
    folder: Path

    @property
    def is_here(self) -> bool:
        """Whether all files are there and whole."""
        sizes = {self._path(file): file.size_bytes for file in self.files.values()}
        whole = (path.is_file() and path.stat().st_size == size for path, size in sizes.items())
        return self._index.is_file() and all(whole)

    @property
    def files(self) -> dict[Side, DatasetFile]:
        """The files by side; a side without examples has none."""
        found: dict[Side, DatasetFile] = {"training": self.run.training_file.file}
        if self.run.validation_file is not None:
            found["validation"] = self.run.validation_file.file
        return found

    def rows(self) -> Iterator[Row]:
        """The conversations in the order of the sources. A lockfile keeps no keys, only their hashes."""
        with ExitStack() as stack:
            lines = {
                side: stack.enter_context(self._path(file).open("rb")) for side, file in self.files.items()
            }
            for entry in stack.enter_context(self._index.open(encoding="ascii")):
                identity, _, name = entry.split()
                side: Side = "training" if name == "training" else "validation"
                line = lines[side].readline() if side in lines else b""
                if not line:
                    raise RunnerError(
                        f"{self._index} does not fit its dataset. Delete it; a build makes it again."
                    )
                yield Row(example=_example(line), side=side, line=line, key_digest=bytes.fromhex(identity))

    def _path(self, file: DatasetFile) -> Path:
        return self.folder / f"{file.sha256}.jsonl"

    @property
    def _index(self) -> Path:
        return self.folder / f"{self.run.index}.index"


def _example(line: bytes) -> Example:
    messages = tuple(
        Message(role=message["role"], content=_content(message)) for message in json.loads(line)["messages"]
    )
    return Example(key="", group=None, variant="", messages=messages, file="", row=0)


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
