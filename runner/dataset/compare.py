"""Which examples differ between two datasets, by the identity of their records."""

from pathlib import Path


def changed_examples(before: Path, after: Path) -> str | None:
    """Count the examples added, removed, changed and moved between two index files.

    Returns None when the earlier index is not on this machine.
    """
    try:
        old, new = _read_index(before), _read_index(after)
    except OSError:
        return None
    shared = old.keys() & new.keys()
    changed = sum(old[key][0] != new[key][0] for key in shared)
    moved = sum(old[key][1] != new[key][1] for key in shared)
    counts = (
        (changed, "changed"),
        (len(new) - len(shared), "added"),
        (len(old) - len(shared), "removed"),
        (moved, "moved to the other side of the split"),
    )
    parts = [f"{count} {word}" for count, word in counts if count]
    if not parts:
        return "the same examples in another order"
    total = sum(count for count, _ in counts)
    noun = "example" if total == 1 else "examples"
    return f"{noun}: {', '.join(parts)}"


def _read_index(path: Path) -> dict[str, tuple[str, str]]:
    table = {}
    for line in path.read_text(encoding="ascii").splitlines():
        identity, digest, side = line.split()
        table[identity] = (digest, side)
    return table
