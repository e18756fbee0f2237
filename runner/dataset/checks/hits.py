"""What checks found, and a file of all of it, one line each."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Reports look for this one by its code, without importing the rules.
LEFT_OUT_CODE = "FT406"
# What fills the `{…}` of a rule's message: text and numbers only, since a hit goes through JSON.
Values = Mapping[str, Any]


class Hit(NamedTuple):
    """One time that a rule fired."""

    code: str
    values: Values


class Origin(NamedTuple):
    """Which example a hit is about; `ignored` are the entries under `checks.ignore` that apply to it."""

    identity: str
    file: str
    row: int
    ignored: tuple[int, ...] = ()


def hit_line(hit: Hit, origin: Origin | None) -> bytes:
    """A hit as a line of JSON."""
    place = [origin.identity, origin.file, origin.row] if origin else None
    return json.dumps([hit.code, place, hit.values], separators=(",", ":")).encode("ascii") + b"\n"


def read_hits(path: Path) -> Iterator[tuple[Hit, Origin | None]]:
    """The hits of a file, in the order they were found."""
    with path.open("rb") as stream:
        for line in stream:
            code, place, values = json.loads(line)
            yield Hit(code, values), Origin(*place) if place else None
