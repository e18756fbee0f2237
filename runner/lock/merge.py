"""Three versions of a lockfile to one: whole runs from one side or left to a person, never mixed."""

from dataclasses import dataclass

from runner.lock.lockfile import LockedRun, Lockfile, entry_bytes, lockfile_bytes, parse_lockfile

OURS, SEPARATOR, THEIRS = b"<<<<<<< ours\n", b"=======\n", b">>>>>>> theirs\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The text of a merged lockfile; the runs of the profiles in `conflicts` stand in it between markers."""

    content: bytes
    conflicts: tuple[str, ...]


def merge_lockfiles(base: bytes, ours: bytes, theirs: bytes, name: str) -> Merged:
    """Merge profile by profile: a run comes from the side that changed it, an equal change from either.

    An empty version has no runs. Raises StaleLockError where one is not a lockfile.
    """
    before, left, right = (_parsed(content, name) for content in (base, ours, theirs))
    runs: dict[str, LockedRun] = {}
    conflicts = []
    for profile in sorted(before.runs.keys() | left.runs.keys() | right.runs.keys()):
        old, mine, other = (side.runs.get(profile) for side in (before, left, right))
        if mine != other and old not in (mine, other):
            conflicts.append(profile)
            continue
        kept = other if old == mine else mine
        if kept is not None:
            runs[profile] = kept
    merged = Lockfile(runs=runs)
    content = _with_markers(merged, left, right, conflicts) if conflicts else lockfile_bytes(merged)
    return Merged(content=content, conflicts=tuple(conflicts))


def _parsed(content: bytes, name: str) -> Lockfile:
    return parse_lockfile(content, name) if content else Lockfile()


def _with_markers(merged: Lockfile, left: Lockfile, right: Lockfile, conflicts: list[str]) -> bytes:
    parts = [lockfile_bytes(Lockfile()).replace(b"runs: {}\n", b"runs:\n")]
    for profile in sorted({*merged.runs, *conflicts}):
        if profile in conflicts:
            parts += [OURS, _entry(left, profile), SEPARATOR, _entry(right, profile), THEIRS]
        else:
            parts.append(_entry(merged, profile))
    return b"".join(parts)


def _entry(lockfile: Lockfile, profile: str) -> bytes:
    run = lockfile.runs.get(profile)
    return entry_bytes(profile, run) if run else b""
