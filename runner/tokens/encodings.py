"""OpenAI's encodings: which model has which, and where their ranks lie on this machine."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from runner.canonical import write_atomically

# Families of models by the beginning of a name, the longer ones first, as tiktoken 0.14.0 (2026-08-17) has
# them: https://github.com/openai/tiktoken/blob/main/tiktoken/model.py
FAMILIES = (
    ("chatgpt-4o", "o200k_base"),
    ("gpt-3.5-turbo", "cl100k_base"),
    ("gpt-35-turbo", "cl100k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4.5", "o200k_base"),
    ("gpt-4o", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-5", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4-mini", "o200k_base"),
)
MAX_RANKS_BYTES = 16 << 20
# Packages that carry ranks; nothing of them is imported.
_CARRIERS = (
    ("bpe_openai", "data/{name}.tiktoken.gz"),
    ("litellm", "litellm_core_utils/tokenizers/{key}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """The file that an encoding is made from: the hash is the one that tiktoken demands."""

    encoding: str
    url: str
    sha256: str

    @property
    def key(self) -> str:
        """What tiktoken calls the file in its cache."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()

    def are(self, content: bytes) -> bool:
        """Whether bytes are these ranks."""
        return hashlib.sha256(content).hexdigest() == self.sha256


_BASE = "https://openaipublic.blob.core.windows.net/encodings"
RANKS = {
    name: Ranks(encoding=name, url=f"{_BASE}/{name}.tiktoken", sha256=sha256)
    for name, sha256 in (
        ("o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
        ("cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
    )
}


def encoding_of(model: str) -> str | None:
    """The encoding of a model of OpenAI's, tuned ones and those behind a gateway too; None for others."""
    name = model.removeprefix("openai/").removeprefix("ft:")
    for family, encoding in FAMILIES:
        rest = name.removeprefix(family)
        if rest != name and rest[:1] in ("", "-", ":"):
            return encoding
    return None


def find_ranks(ranks: Ranks, folder: Path, environment: Mapping[str, str]) -> Path | None:
    """A folder that has the ranks as tiktoken's cache does, None where they are not on this machine.

    Looked for in TIKTOKEN_CACHE_DIR, in `folder`, and in installed packages, from which they are copied to
    `folder`. Whatever has another hash is passed over.
    """
    named = environment.get("TIKTOKEN_CACHE_DIR")
    for candidate in (Path(named) if named else None, folder):
        if candidate is not None and _holds(candidate / ranks.key, ranks):
            return candidate
    for path in _carried(ranks):
        content = _content(path)
        if content is not None and ranks.are(content):
            write_atomically(folder / ranks.key, content)
            return folder
    return None


def _holds(path: Path, ranks: Ranks) -> bool:
    content = _content(path)
    return content is not None and ranks.are(content)


def _carried(ranks: Ranks) -> Iterator[Path]:
    for package, place in _CARRIERS:
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(root) / place.format(name=ranks.encoding, key=ranks.key)


def _content(path: Path) -> bytes | None:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return bytes(stream.read(MAX_RANKS_BYTES))
    except (OSError, EOFError, zlib.error):
        return None
