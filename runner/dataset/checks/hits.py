"""Everything that the checks found, one line each."""

import json
from collections.abc import Iterator
from pathlib import Path

from runner.dataset.checks.rule import Hit, Origin


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
