"""Download the files of a dataset on the Hugging Face hub at one commit; nothing of it is ever run."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

from runner.canonical import CHUNK_BYTES, canonical_json, sha256_file, write_atomically
from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.hints import listed
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.base import unusable
from runner.sources.extras import require
from runner.sources.formats import SUFFIXES
from runner.sources.glob import name_matches
from runner.sources.stored import hub_folder, hub_listing
from runner.sources.unpack import COMPRESSIONS

MAX_BYTES = 64 << 30
MAX_FILES = 10_000


def download_dataset(source: Source, project: Project, endpoint: str | None = None) -> None:
    """Fetch the files of a dataset that match the source's `files`, then list them. Raises InvalidInputError.

    `endpoint` replaces the hub's address. A token is taken from the operator's environment.
    """
    file = one_line(f"{source.hub}: {source.files}", limit=200)
    hub = require("huggingface_hub", file=file)
    api = hub.HfApi(endpoint=endpoint)
    folder = hub_folder(project, source)
    try:
        entries = _matching(api, source, file)
        for entry in entries:
            api.hf_hub_download(
                source.hub, entry.path, repo_type="dataset", revision=source.revision, local_dir=folder
            )
            _check(folder / entry.path, entry, file)
    except InvalidInputError:
        raise
    except hub.errors.RepositoryNotFoundError:
        raise unusable(
            file,
            "found no such dataset, expected one that is public or that HF_TOKEN may read. Correct `hub`.",
        ) from None
    except hub.errors.RevisionNotFoundError:
        raise unusable(
            file, "found no such commit in the dataset, expected one. Correct `revision`."
        ) from None
    except (hub.errors.HfHubHTTPError, OSError, ValueError) as error:
        reason = one_line(str(error).strip().split("\n")[0], limit=160) or type(error).__name__
        raise unusable(
            file, f"found no way to the dataset ({reason}), expected it. Check the network and try again."
        ) from None
    write_atomically(hub_listing(project, source), canonical_json([entry.path for entry in entries]))


def _matching(api: Any, source: Source, file: str) -> list[Any]:
    tree = api.list_repo_tree(source.hub, repo_type="dataset", revision=source.revision, recursive=True)
    every = [entry for entry in tree if hasattr(entry, "blob_id")]
    entries = sorted((entry for entry in every if name_matches(entry.path, source.files or "")), key=_path)
    if not entries:
        names = [entry.path for entry in every]
        raise unusable(
            file, f"found no file that matches, expected at least one. The dataset has {listed(names)}."
        )
    if len(entries) > MAX_FILES or sum(entry.size for entry in entries) > MAX_BYTES:
        raise unusable(
            file,
            f"found more than {MAX_FILES} files or {MAX_BYTES >> 30} GiB, expected less. Narrow `files`.",
        )
    for entry in entries:
        problem = _name_problem(entry.path, source)
        if problem:
            raise unusable(file, problem)
    return entries


def _path(entry: Any) -> str:
    return str(entry.path)


def _name_problem(name: str, source: Source) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name.startswith("."):
        return f"found a file called {shown(name)}, expected a plain name. Choose another dataset."
    inner = PurePosixPath(path.stem) if path.suffix.lower() in COMPRESSIONS else path
    if source.format is None and inner.suffix.lower() not in SUFFIXES and path.suffix.lower() != ".zip":
        return (
            f"found {shown(name)}, expected files of records: loading scripts are never run. "
            "Narrow `files`, or set `format`."
        )
    return ""


def _check(path: Path, entry: Any, file: str) -> None:
    """Compare a file with what the commit says of it: the sha256 of a large one, git's own hash of others."""
    lfs = getattr(entry, "lfs", None)
    expected = lfs.sha256 if lfs else entry.blob_id
    found = sha256_file(path) if lfs else _git_hash(path)
    if found != expected:
        raise unusable(
            file, f"found {shown(entry.path)} with the hash {found}, expected {expected}. Try again later."
        )


def _git_hash(path: Path) -> str:
    # https://git-scm.com/book/en/v2/Git-Internals-Git-Objects (2026-11)
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
