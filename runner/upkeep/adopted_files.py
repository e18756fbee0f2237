"""Compares the files of a job made elsewhere with those that a recipe builds."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_file
from runner.dataset.lines import read_lines
from runner.dataset.measure import measure_line
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset, DatasetFile
from runner.errors import RunnerError
from runner.lock.lockfile import LockedFile
from runner.planning.value import FileRole
from runner.providers.base import Job, NotFoundError, Provider, RemoteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedFile:
    """A file of a job as it is to be locked, and how it compares with what the recipe builds."""

    role: FileRole
    locked: LockedFile | None
    difference: str | None = None
    warning: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileComparison:
    """Where a job's files are read, and what they are held against."""

    provider: Provider
    host: str
    dataset: Dataset
    counter: TokenCounter

    def files(self, job: Job) -> tuple[AdoptedFile, AdoptedFile]:
        """The training and the validation file of a job. Raises RunnerError where one cannot be told."""
        training = self._file("training_file", job.training_file or None, self.dataset.training_file)
        if training.locked is None:
            raise RunnerError(f"{self.host} does not tell the training file of {job.id}. Nothing was locked.")
        return training, self._file("validation_file", job.validation_file, self.dataset.validation_file)

    def _file(self, role: FileRole, file_id: str | None, built: DatasetFile | None) -> AdoptedFile:
        if file_id is None:
            missing = f"{role}: the recipe builds one, the job has none" if built else None
            return AdoptedFile(role=role, locked=None, difference=missing)
        try:
            remote = self.provider.retrieve_file(file_id)
        except NotFoundError as error:
            raise RunnerError(
                f"{role} {file_id} is gone at {self.host}, so nobody can tell what the job was trained on. "
                "Nothing was locked."
            ) from error
        with tempfile.TemporaryDirectory(dir=self.dataset.folder, prefix=".importing.") as folder:
            copy = Path(folder) / "content"
            if self.provider.download_file(file_id, copy, remote.size_bytes):
                return self._downloaded(role, remote, copy, built)
        return self._by_size(role, remote, built)

    def _downloaded(
        self, role: FileRole, remote: RemoteFile, copy: Path, built: DatasetFile | None
    ) -> AdoptedFile:
        digest = sha256_file(copy)
        if built is not None and digest == built.sha256:
            return AdoptedFile(role=role, locked=_locked(built, remote))
        found = _measured(copy, digest, self.counter)
        # Kept like a file that was built here, so that it can be compared with later ones.
        copy.replace(self.dataset.folder / f"{digest}.jsonl")
        return AdoptedFile(
            role=role, locked=_locked(found, remote), difference=_difference(role, built, found)
        )

    def _by_size(self, role: FileRole, remote: RemoteFile, built: DatasetFile | None) -> AdoptedFile:
        if built is None or remote.size_bytes != built.size_bytes:
            expected = f"{built.size_bytes:,} bytes" if built else "none"
            raise RunnerError(
                f"{role} {remote.id} has {remote.size_bytes:,} bytes, the recipe builds {expected}, and "
                f"{self.host} does not give it back, so its hash cannot be locked. Nothing was locked."
            )
        if built.sha256[:16] in remote.filename:
            return AdoptedFile(role=role, locked=_locked(built, remote))
        warning = (
            f"{role}: {self.host} does not give {remote.id} back, so only its size of "
            f"{remote.size_bytes:,} bytes was compared"
        )
        return AdoptedFile(role=role, locked=_locked(built, remote), warning=warning)


def _locked(file: DatasetFile, remote: RemoteFile) -> LockedFile:
    named_by_us = file.sha256[:16] in remote.filename
    return LockedFile(file=file, file_id=remote.id, filename=None if named_by_us else remote.filename)


def _difference(role: FileRole, built: DatasetFile | None, found: DatasetFile) -> str:
    if built is None:
        return f"{role}: the recipe builds none, the job has one of {found.size_bytes:,} bytes"
    return (
        f"{role}: the recipe builds {built.size_bytes:,} bytes in {built.n_examples:,} lines, the job has "
        f"{found.size_bytes:,} bytes in {found.n_examples:,} lines, and not the same ones"
    )


def _measured(path: Path, digest: str, counter: TokenCounter) -> DatasetFile:
    n_examples = n_tokens = 0
    for line in filter(bytes.strip, read_lines(path)):
        n_examples += 1
        n_tokens += _n_tokens(line, counter)
    return DatasetFile(
        sha256=digest,
        size_bytes=path.stat().st_size,
        n_examples=n_examples,
        n_tokens=n_tokens,
        tokens_exact=False,
    )


def _n_tokens(line: bytes, counter: TokenCounter) -> int:
    """The tokens of an example; those of no message where a line is none."""
    try:
        return measure_line(json.loads(line), counter).n_tokens
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return counter.count([])
