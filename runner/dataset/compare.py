"""Which examples differ between two datasets, by the identity of their records."""

from collections.abc import Iterator
from pathlib import Path

from runner.dataset.index import LEFT_OUT

# Of two index files together; ten times as much memory is needed for each part.
PART_BYTES = 4 << 20


def changed_examples(before: Path, after: Path) -> str | None:
    """Count the examples added, removed, changed and moved between two index files.

    Returns None when the earlier index is not on this machine.
    """
    try:
        n_parts = max(1, (before.stat().st_size + after.stat().st_size) // PART_BYTES)
        parts = [_counts(before, after, number, n_parts) for number in range(n_parts)]
    except OSError:
        return None
    names = ("changed", "added", "removed", "moved to the other side of the split")
    counts = [(sum(column), name) for column, name in zip(zip(*parts, strict=True), names, strict=True)]
    found = [f"{count} {name}" for count, name in counts if count]
    if not found:
        return "the same examples in another order"
    noun = "example" if sum(count for count, _ in counts) == 1 else "examples"
    return f"{noun}: {', '.join(found)}"


def _counts(before: Path, after: Path, number: int, n_parts: int) -> tuple[int, int, int, int]:
    """How many examples of one part were changed, added, removed and moved."""
    old, new = _read_part(before, number, n_parts), _read_part(after, number, n_parts)
    shared = old.keys() & new.keys()
    changed = sum(old[key][0] != new[key][0] for key in shared)
    moved = sum(old[key][1] != new[key][1] for key in shared)
    return changed, len(new) - len(shared), len(old) - len(shared), moved


def _read_part(path: Path, number: int, n_parts: int) -> dict[str, tuple[str, str]]:
    """Digest and side by identity, of those identities that fall into one part."""
    table = {}
    with path.open(encoding="ascii") as lines:
        for line in lines:
            if n_parts == 1 or int(line[:4], 16) % n_parts == number:
                identity, digest, side = line.split()
                if side == LEFT_OUT:
                    continue
                table[identity] = (digest, side)
    return table


def read_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """The rows of an index file in the order of the examples: identity, digest and side. Raises OSError."""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            identity, digest, side = line.split()
            yield identity, digest, side
