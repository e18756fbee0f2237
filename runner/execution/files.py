"""Finds a training file that was sent before and is certainly ours."""

from dataclasses import dataclass

from runner.dataset.value import DatasetFile
from runner.execution.journal import Journal
from runner.planning.plan import KEY_CHARACTERS
from runner.providers.base import NotFoundError, Provider, RemoteFile

# How many of the newest files are searched for one sent before.
SEARCHED_FILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtFile:
    """A file that may be at the provider; `key` is the one that its upload carries."""

    key: str
    filename: str
    file: DatasetFile

    def is_like(self, remote: RemoteFile) -> bool:
        """Whether a remote file has the name, which tells the content, and the size."""
        return (remote.filename, remote.size_bytes) == (self.filename, self.file.size_bytes)

    def is_by_content(self, remote: RemoteFile) -> bool:
        """Whether a remote file's name tells this content, whichever recipe it was sent for, and its size."""
        mark = f"-{self.file.sha256[:KEY_CHARACTERS]}"
        is_told = mark in remote.filename and remote.size_bytes == self.file.size_bytes
        return is_told or self.is_like(remote)


def find_file(provider: Provider, journal: Journal, sought: SoughtFile) -> RemoteFile | None:
    """The file as it was sent before, None where it is not found or may be somebody else's.

    It is ours when the journal has its ID or when its content has the right hash; where the provider gives no
    content back, a name that this journal was about to send is enough.
    """
    known = journal.outcome("upload", sought.key)
    recorded = None if known in (None, "unknown") else retrieved_file(provider, known, sought)
    if recorded is not None:
        return recorded
    for remote in filter(sought.is_like, provider.list_files(SEARCHED_FILES)):
        digest = provider.file_sha256(remote.id)
        if digest == sought.file.sha256 or (digest is None and known == "unknown"):
            return remote
    return None


def retrieved_file(provider: Provider, file_id: str, sought: SoughtFile) -> RemoteFile | None:
    """The file of an ID that was recorded, None where it is gone or another one now."""
    try:
        remote = provider.retrieve_file(file_id)
    except NotFoundError:
        return None
    return remote if sought.is_like(remote) else None
