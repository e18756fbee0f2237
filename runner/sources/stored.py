"""Where the state folder keeps what sources outside the project gave, and what of it is there."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runner.canonical import sha256_bytes
from runner.display import one_line
from runner.errors import InvalidInputError
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.base import unusable

# The path of a source whose data the command line gives.
GIVEN = "-"
# As much of a hash as names its folder; the whole of it is compared with the content.
_DIGITS = 16


def file_store(project: Project, sha256: str, name: str) -> Path:
    """Where a file of this content lies under this name."""
    return project.state / "sources" / sha256[:_DIGITS] / safe_name(name)


def url_file(project: Project, source: Source) -> Path:
    """Where the content of a source's URL lies once it is downloaded; the suffix is the URL's."""
    return file_store(project, source.sha256 or "", unquote(urlsplit(source.url or "").path).split("/")[-1])


def hub_folder(project: Project, source: Source) -> Path:
    """Where the files of a source's dataset and revision lie, under their own names."""
    return project.state / "hub" / (source.hub or "") / (source.revision or "")


def hub_listing(project: Project, source: Source) -> Path:
    """The file that lists what of a dataset matches a source's pattern, written when all of it is there."""
    return hub_folder(project, source) / f".{sha256_bytes((source.files or '').encode())[:_DIGITS]}.json"


def stored_files(source: Source, project: Project) -> list[Path]:
    """The files of a URL or dataset. Raises InvalidInputError where they were not downloaded."""
    if source.url is not None:
        path = url_file(project, source)
        if path.is_file():
            return [path]
        raise _not_here(source.url)
    folder = hub_folder(project, source)
    try:
        names = json.loads(hub_listing(project, source).read_bytes())
    except (OSError, ValueError):
        names = []
    paths = [folder / name for name in names]
    if paths and all(path.is_file() for path in paths):
        return paths
    raise _not_here(f"{source.hub}: {source.files}")


def safe_name(name: str) -> str:
    """A file name without anything that could lead elsewhere."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[-100:] or "data"


def _not_here(name: str) -> InvalidInputError:
    message = "found no downloaded copy, expected one. Download it once with --allow-network."
    return unusable(one_line(name, limit=200), message)
