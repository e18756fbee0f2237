"""How a data file is read: its format, the part of it that holds the records, its encoding, and why."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from runner.errors import InvalidInputError, RunnerError
from runner.project import Project
from runner.recipe.model import Source
from runner.sources import excel, sqlite
from runner.sources.base import as_data
from runner.sources.encodings import detect_encoding
from runner.sources.extras import is_installed, missing_sentence
from runner.sources.formats import BINARY_FORMATS, SUFFIXES, TEXT_FORMATS, format_of
from runner.sources.unpack import compression_of, member_sizes, open_bytes

# A file is taken apart to find the list of records in it, once and whole.
MAX_SEARCHED_BYTES = 256 << 20
MAX_SEARCHED_YAML = 4 << 20
_SNIFFED_BYTES = 512
_MAGICS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"SQLite format 3\0": "sqlite",
    b"PK\x03\x04": "excel",
    b"[": "json",
    b"{": "jsonl",
    b"---": "yaml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A source for a data file and, a line each, why it says what it says."""

    source: Source
    notes: tuple[str, ...] = ()


def find_reading(data: Path, path: str, project: Project) -> Reading:
    """Look into a data file and write the source that reads it. Raises RunnerError, InvalidInputError."""
    finder = _Finder(data, Source(path=path), project)
    try:
        finder.find()
    except OSError as error:
        raise RunnerError(f"{data}: cannot be read: {error.strerror}.") from error
    return Reading(source=finder.source, notes=tuple(finder.notes))


class _Finder:
    """A source as far as it is known, and the reasons so far."""

    def __init__(self, data: Path, source: Source, project: Project) -> None:
        self.data = data
        self.file = project.name_of(data)
        self.grants = project.grants
        self.source = source
        self.notes: list[str] = []

    def find(self) -> None:
        """Decide about everything, in the order of reading."""
        self._find_member()
        name = format_of(self.data, self.source, self.file) or self._sniffed_format()
        if name in BINARY_FORMATS:
            self._find_part(name)
        elif name in TEXT_FORMATS:
            self._find_encoding()
            self._find_records(name)

    def _set(self, note: str, **keys: str) -> None:
        self.source = replace(self.source, **keys)  # type: ignore[arg-type]
        self.notes.append(note)

    def _find_member(self) -> None:
        if compression_of(self.data) != "zip":
            return
        sizes = {
            name: size
            for name, size in member_sizes(self.data, self.file).items()
            if PurePath(name).suffix.lower() in SUFFIXES
        }
        if len(sizes) > 1:
            name = max(sizes, key=lambda item: sizes[item])
            self._set(f"member {name}: the largest of {len(sizes)} data files in the archive", member=name)

    def _sniffed_format(self) -> str:
        """The format of a file without a known suffix, by its first bytes."""
        with open_bytes(self.data, self.file, member=self.source.member, grants=self.grants) as stream:
            start = stream.read(_SNIFFED_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
        name = next((name for magic, name in _MAGICS.items() if start.startswith(magic)), "")
        if name:
            self._set(f"format {name}: the file begins like one", format=name)
        return name

    def _find_part(self, name: str) -> None:
        package = BINARY_FORMATS[name].PACKAGE
        if not is_installed(package):
            raise RunnerError(f"{self.data}: {missing_sentence(package)}")
        counted = {
            "excel": ("sheet", excel.count_rows),
            "sqlite": ("table", sqlite.count_rows),
        }.get(name)
        if counted is None:
            return
        key, count_rows = counted
        rows = count_rows(self.data, self.file, self.grants)
        if len(rows) > 1:
            part = max(rows, key=lambda item: rows[item])
            self._set(f"{key} {part}: the one with the most rows of {len(rows)}", **{key: part})

    def _find_encoding(self) -> None:
        found = detect_encoding(
            partial(open_bytes, self.data, self.file, member=self.source.member, grants=self.grants)
        )
        if found is None:
            # Reading says where it is neither.
            return
        if found.startswith(("utf-16", "utf-32")):
            self._set(f"encoding {found}: the file begins with its byte order mark", encoding=found)
        elif found != "utf-8":
            self._set(f"encoding {found}: every byte fits it, and not UTF-8", encoding=found)

    def _find_records(self, name: str) -> None:
        if name not in ("json", "yaml"):
            return
        found = sorted(_lists(self._value(name), ()), key=lambda item: -item[1])
        if found:
            path, size = found[0]
            others = f", the longest of {len(found)} lists" if len(found) > 1 else ""
            self._set(f"records {path}: a list of {size} records{others}", records=path)

    def _value(self, name: str) -> Any:
        """The whole value, to look for lists in it; None where it is a list itself or cannot be read."""
        open_again = partial(open_bytes, self.data, self.file, member=self.source.member, grants=self.grants)
        try:
            with open_again() as stream:
                content = stream.read(MAX_SEARCHED_BYTES)
            text = content.decode("utf-8-sig" if self.source.encoding == "utf-8" else self.source.encoding)
            if text.lstrip()[:1] == "[":
                return None
            return json.loads(text) if name == "json" else _yaml_mapping(text)
        except (InvalidInputError, ValueError, RecursionError):
            return None


def _yaml_mapping(text: str) -> Any:
    """The only document of a YAML text where it is a mapping; one that is long is taken for a list."""
    import yaml

    if text.startswith("- ") or len(text) > MAX_SEARCHED_YAML:
        return None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    if not isinstance(value, dict) or len(path) > 4:
        return
    for key, item in value.items():
        if not isinstance(key, str):
            continue
        if isinstance(item, list) and item and all(as_data(element) is not None for element in item):
            yield ".".join((*path, key)), len(item)
        else:
            yield from _lists(item, (*path, key))
