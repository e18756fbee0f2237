"""Find for a record the one of another source that belongs to it."""

import json
from pathlib import Path
from typing import Any

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.examples.mapping import identity_text
from runner.examples.paths import PathError, compile_path
from runner.examples.scalars import scalar_text
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.model import Join, Source
from runner.sources.base import Record
from runner.sources.read import Opening, read_records

# Held as JSON text: as Python objects it would be several times as much. The process that reads may not
# write files, so there is no index on disk.
MAX_INDEX_BYTES = 256 << 20
# What a dict, a key and a bytes object take beside their content.
_ENTRY_BYTES = 200

Index = dict[str, bytes]


def load_index(  # noqa: PLR0913 - what to read, and within which bounds
    join: Join,
    source: Source,
    folder: Path,
    project: Project,
    *,
    max_bytes: int = MAX_INDEX_BYTES,
    opening: Opening = lambda _: None,
) -> Index:
    """Read a source whole, by the key that identifies its records.

    Raises InvalidInputError for its problems, for records without a key or with one that repeats, and for
    more records than memory should hold.
    """
    path = join.key or join.on
    read_key = compile_path(path)
    index: Index = {}
    places: dict[str, int] = {}
    issues: list[Issue] = []
    size = 0
    for record in read_records((source,), folder, project, opening=opening):
        try:
            key = identity_text(read_key(record.data), path, record.data)
        except PathError as error:
            issues.append(Issue(place=record.place, message=f"join key: {error}"))
            continue
        if key in index:
            message = (
                f"join key: found {shown(key)} again, expected each key once. It first stands in row "
                f"{places[key]}. Remove one, or choose another `key`."
            )
            issues.append(Issue(place=record.place, message=message))
            continue
        content = json.dumps(record.data, separators=(",", ":")).encode("ascii")
        index[key], places[key] = content, record.row
        size += len(content) + len(key) + _ENTRY_BYTES
        if size > max_bytes:
            message = (
                f"found more than {max_bytes >> 20} MiB of records to join, expected less. "
                "Leave columns out of it, or write a `query` over both sources."
            )
            raise InvalidInputError([Issue(place=record.place, message=message)])
    if issues:
        raise InvalidInputError(issues)
    return index


class Joiner:
    """Puts beside each record, under the other source's name, the record that belongs to it."""

    def __init__(self, join: Join, index: Index) -> None:
        self._join = join
        self._index = index
        self._read = compile_path(join.on)
        self._n_matched = 0
        self._unmatched: tuple[Place, str] | None = None

    def join(self, record: Record) -> Record | Issue | None:
        """The record with its partner, None where it is left out without one, or what is wrong with it."""
        name = self._join.source
        if name in record.data:
            message = f"join: found a column {shown(name)} already, expected none. Rename the source."
            return Issue(place=record.place, message=message)
        try:
            value = self._read(record.data)
        except PathError as error:
            return Issue(place=record.place, message=f"join: {error}")
        content = self._index.get(_key_text(value))
        self._n_matched += content is not None
        if content is None:
            self._unmatched = self._unmatched or (record.place, shown(value))
            if self._join.how == "inner":
                return None
        partner: Any = json.loads(content) if content is not None else None
        return record._replace(data={**record.data, name: partner})

    def end(self) -> Issue | None:
        """An issue where no record at all found a partner: the two sides write their keys differently."""
        if self._n_matched or self._unmatched is None:
            return None
        place, value = self._unmatched
        known = next(iter(self._index), None)
        has = f"its first key is {shown(known)}" if known is not None else "it has no records"
        message = (
            f"join: found no record of {shown(self._join.source)} for {one_line(value)}, nor for any other "
            f"record; {has}. Correct `on` or `key`."
        )
        return Issue(place=place, message=message)


def _key_text(value: Any) -> str:
    """The text of a key as the other side writes it; what cannot be one is no key that is there."""
    text = None if isinstance(value, float) else scalar_text(value)
    return text if text is not None else ""
