"""Ask git for what a revision holds: objects only, so no hook, filter, network or work tree is involved."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from runner.display import one_line
from runner.errors import RunnerError

_KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")
_KINDS: dict[str, Literal["file", "link"]] = {"100644": "file", "100755": "file", "120000": "link"}
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or symbolic link of a revision; `path` is relative to the repository."""

    path: str
    kind: Literal["file", "link"]
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit of a repository, whose root is absolute with symbolic links resolved."""

    root: Path
    name: str
    commit: str
    environment: Mapping[str, str]

    @property
    def label(self) -> str:
        """The name it was asked by, and the commit that this was."""
        return self.name if self.commit.startswith(self.name) else f"{self.name} ({self.commit[:10]})"


def find_revision(folder: Path, name: str, environment: Mapping[str, str]) -> Revision:
    """Find a commit of the repository that a folder lies in. Raises RunnerError."""
    kept = {key: environment[key] for key in _KEPT_VARIABLES if key in environment}
    root = Path(os.fsdecode(_git(folder, kept, "rev-parse", "--show-toplevel")).rstrip("\n")).resolve()
    try:
        wanted = f"{name}^{{commit}}"
        found = _git(root, kept, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    except RunnerError as error:
        raise RunnerError(
            f"found no revision '{one_line(name)}' in this repository, expected a commit, branch or tag, "
            "or a recipe or lockfile that is there. In a shallow clone, fetch it first."
        ) from error
    return Revision(root=root, name=name, commit=found.decode("ascii").strip(), environment=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit by its hash, its day (YYYY-MM-DD) and the first line of its message."""

    sha: str
    day: str
    subject: str


def last_change(folder: Path, file: str, environment: Mapping[str, str], line: bytes | None) -> Commit | None:
    """The commit that last changed a file, or a line with that text; None where it is not committed.

    `file` is relative to the folder. None too outside a repository and without git.
    """
    kept = {key: environment[key] for key in _KEPT_VARIABLES if key in environment}
    try:
        of = ("HEAD", "--", file) if line is None else (_last_to_touch(folder, file, kept, line), "--")
        said = _git(folder, kept, "log", "-1", "--no-show-signature", "--format=%H%x00%cs%x00%s", *of)
    except (RunnerError, ValueError):
        return None
    sha, _, rest = said.decode("utf-8", "replace").rstrip("\n").partition("\0")
    day, _, subject = rest.partition("\0")
    return Commit(sha=sha, day=day, subject=subject) if sha else None


def commit_with(folder: Path, file: str, content: bytes, environment: Mapping[str, str]) -> str | None:
    """The commit of HEAD where it holds a file with just this content; None where it does not.

    `file` is relative to the folder. None too outside a repository and without git.
    """
    kept = {key: environment[key] for key in _KEPT_VARIABLES if key in environment}
    try:
        if _git(folder, kept, "cat-file", "blob", f"HEAD:./{file}") != content:
            return None
        return _git(folder, kept, "rev-parse", "HEAD").decode("ascii").strip()
    except RunnerError:
        return None


def _last_to_touch(folder: Path, file: str, kept: Mapping[str, str], line: bytes) -> str:
    """The commit of a line as it was committed, wherever it stands now. Raises RunnerError, ValueError."""
    lines = _git(folder, kept, "cat-file", "blob", f"HEAD:./{file}").splitlines()
    number = lines.index(line) + 1
    blamed = _git(folder, kept, "blame", "--porcelain", "-L", f"{number},{number}", "HEAD", "--", file)
    return blamed.split(maxsplit=1)[0].decode("ascii")


def list_entries(revision: Revision) -> list[Entry]:
    """The files and links of a revision, submodules left out."""
    listed = _git(revision.root, revision.environment, "ls-tree", "-r", "-z", revision.commit)
    entries = []
    for line in listed.split(b"\0"):
        head, _, path = line.partition(b"\t")
        mode, _, rest = head.decode("ascii").partition(" ")
        name = os.fsdecode(path)
        if mode in _KINDS and _is_plain(name):
            entries.append(Entry(path=name, kind=_KINDS[mode], blob=rest.partition(" ")[2]))
    return entries


class Blobs:
    """Reads the content of one blob after the other from one process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("BUG: git was started without pipes")
        self.requests: IO[bytes] = process.stdin
        self.answers: IO[bytes] = process.stdout

    def read(self, blob: str) -> bytes:
        """The content of a small blob. Raises RunnerError."""
        return b"".join(self.chunks(blob))

    def chunks(self, blob: str) -> Iterator[bytes]:
        """The content of a blob, piece by piece; read it to its end. Raises RunnerError."""
        self.requests.write(f"{blob}\n".encode("ascii"))
        self.requests.flush()
        head = self.answers.readline().split()
        if len(head) != 3:
            raise RunnerError(
                f"git does not have the object {blob[:10]} here. In a partial clone, fetch it first."
            )
        left = int(head[2])
        while left:
            chunk = self.answers.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise RunnerError("git stopped in the middle of a file. Check it with `git fsck`.")
            left -= len(chunk)
            yield chunk
        self.answers.read(1)


@contextmanager
def open_blobs(revision: Revision) -> Iterator[Blobs]:
    """Start the process that reads blobs, and end it."""
    with subprocess.Popen(  # noqa: S603
        _command(revision.root, "cat-file", "--batch"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(revision.environment),
    ) as process:
        try:
            yield Blobs(process)
        finally:
            process.kill()


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            _command(folder, *arguments), capture_output=True, env=_environment(environment), check=False
        )
    except FileNotFoundError as error:
        raise RunnerError("found no git on this machine. Install it, or compare two recipe files.") from error
    if done.returncode:
        raise RunnerError(_explained(done.stderr.decode("utf-8", "replace"), folder))
    return done.stdout


def _command(folder: Path, *arguments: str) -> Sequence[str]:
    settings = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "protocol.allow=never")
    options = [part for setting in settings for part in ("-c", setting)]
    switches = ("--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs")
    return ["git", "-C", str(folder), *options, *switches, *arguments]


def _environment(kept: Mapping[str, str]) -> dict[str, str]:
    # GIT_* of a hook that runs us would name another index or repository.
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def _explained(complaint: str, folder: Path) -> str:
    if "dubious ownership" in complaint:
        return (
            f"git does not read {folder}, because another user owns it. If you trust it: "
            f"`git config --global --add safe.directory {folder}`."
        )
    if "not a git repository" in complaint:
        return (
            f"{folder} is in no git repository, so there is no revision to compare with. "
            "Name two recipe files or lockfiles."
        )
    return f"git says: {one_line(complaint.strip(), limit=200)}"


def _is_plain(path: str) -> bool:
    """Whether a path of a tree can be written below a folder; a tree made by hand may hold others."""
    parts = path.split("/")
    return bool(path) and not any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
