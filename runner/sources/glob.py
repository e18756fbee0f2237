"""Match a path or pattern against a folder, the same way on every machine."""

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from runner.project import real_path

Parts = tuple[str, ...]
Seen = set[tuple[Path, Parts]]

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether a path holds a wildcard."""
    return bool(_MAGIC.search(path))


def matches(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files below a folder that match, in no order; `**` stands for any number of folders.

    Wildcards pass over names that begin with a dot, and `**` does not enter linked folders. Case matters.
    """
    return _match(folder, tuple(part for part in pattern.split("/") if part not in ("", ".")), set())


def _match(folder: Path, parts: Parts, seen: Seen) -> Iterator[Path]:
    if not _is_new(folder, parts, seen):
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        # Not by recursion: folders may be nested deeper than calls.
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            yield from _match(here, rest or ("*",), seen)
            inner = (Path(entry.path) for entry in _entries(here) if _is_entered(entry))
            waiting += [path for path in inner if _is_new(path, parts, seen)]
    elif not is_pattern(first):
        yield from _step(folder / first, rest, seen)
    else:
        expression = re.compile(translate(first))
        for entry in _entries(folder):
            if expression.match(entry.name) and entry.name.startswith(".") == first.startswith("."):
                yield from _step(Path(entry.path), rest, seen)


def _is_new(folder: Path, parts: Parts, seen: Seen) -> bool:
    """Several `**`, or links in a circle, lead to the same folder in very many ways: once is enough."""
    state = (real_path(folder), parts)
    is_new = state not in seen
    seen.add(state)
    return is_new


def _is_entered(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")


def _step(path: Path, rest: Parts, seen: Seen) -> Iterator[Path]:
    if rest:
        yield from _match(path, rest, seen) if path.is_dir() else ()
    elif path.exists() and not path.is_dir():
        yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def name_matches(name: str, pattern: str) -> bool:
    """Whether a path with slashes matches a pattern, by the same rules as files do."""
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    return _name_matches(tuple(name.split("/")), parts)


@lru_cache(maxsize=10_000)
def _name_matches(names: Parts, parts: Parts) -> bool:
    if not names or not parts:
        return not names and not parts
    first, rest = parts[0], parts[1:]
    if first == "**":
        inside = not names[0].startswith(".") and _name_matches(names[1:], parts)
        return _name_matches(names, rest or ("*",)) or (len(names) > 1 and inside)
    if is_pattern(first):
        fits = bool(re.match(translate(first), names[0])) and names[0].startswith(".") == first.startswith(
            "."
        )
    else:
        fits = first == names[0]
    return fits and _name_matches(names[1:], rest)
