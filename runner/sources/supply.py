"""Bring what lies outside the project into its state folder: URLs, datasets, and files of the operator."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.canonical import CHUNK_BYTES, sha256_file
from runner.display import one_line
from runner.project import Project, real_path
from runner.recipe.model import Source
from runner.sources.addresses import OBJECT_STORES
from runner.sources.base import unusable
from runner.sources.stored import file_store, hub_folder, hub_listing, stored_files, url_file

if TYPE_CHECKING:
    from runner.sources.download import Network

Say = Callable[[str], None]


def supply(
    sources: Sequence[Source],
    project: Project,
    *,
    allow_network: bool,
    say: Say = lambda _: None,
    network: "Network | None" = None,
) -> None:
    """Download what is not here yet, if the operator lets it; what stays away is named where it is read.

    A copy that is here is hashed again. Raises InvalidInputError.
    """
    given = dict(project.grants.files)
    for source in sources:
        if source.name in given:
            continue
        if source.url is not None:
            _supply_url(source, project, allow_network=allow_network, say=say, network=network)
        elif source.hub is not None and allow_network and not hub_listing(project, source).exists():
            from runner.sources.hub import download_dataset

            project.make_state()
            say(f"downloading {source.hub}: {source.files}")
            download_dataset(source, project)


def operators_file(path: Path, project: Project) -> tuple[Source, Project]:
    """A file that the operator named as a source, and the project that may read it, wherever it lies."""
    path = real_path(path)
    grants = project.grants
    grants = replace(grants, folders=(*grants.folders, path.parent), files=((path.name, path),))
    return Source(name=path.name, path=path.name), replace(project, grants=grants)


def adopt(path: Path, name: str, project: Project) -> Path:
    """Copy a file of the operator into the state folder under its hash; the copy is what is read and locked.

    Raises OSError.
    """
    import tempfile

    folder = project.make_state() / "sources"
    folder.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".copying.")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as out, path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        target = file_store(project, digest.hexdigest(), name)
        target.parent.mkdir(exist_ok=True)
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target


def lend(sources: Sequence[Source], owner: Project, borrower: Project) -> None:
    """Let another project have the downloads that this one has: the same recipe as it was once."""
    from shutil import copyfile

    for source in sources:
        paths = []
        if source.url is not None:
            paths = [(url_file(owner, source), url_file(borrower, source))]
        elif source.hub is not None and hub_listing(owner, source).exists():
            here, there = hub_folder(owner, source), hub_folder(borrower, source)
            names = [path.relative_to(here) for path in stored_files(source, owner)]
            names.append(hub_listing(owner, source).relative_to(here))
            paths = [(here / name, there / name) for name in names]
        for path, copy in paths:
            if path.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copyfile(path, copy)


def _supply_url(
    source: Source, project: Project, *, allow_network: bool, say: Say, network: "Network | None"
) -> None:
    path, sha256, url = url_file(project, source), source.sha256 or "", source.url or ""
    if path.is_file():
        if sha256_file(path) != sha256:
            raise unusable(
                one_line(url, limit=200),
                f"found a changed copy in {project.name_of(path)}, expected the sha256 {sha256}. "
                f"Remove the copy.",
            )
        return
    if not allow_network:
        return
    project.make_state()
    say(f"downloading {one_line(url, limit=200)}")
    if urlsplit(url).scheme in OBJECT_STORES:
        from runner.sources.object_store import download_object

        download_object(url, sha256, path, network)
    else:
        from runner.sources.download import download

        download(url, sha256, path, network)
