"""Old findings that a project has accepted: they are counted, but neither shown nor in the way."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.canonical import write_atomically
from runner.dataset.checks.checker import Groups
from runner.dataset.checks.hits import Hit, Origin, read_hits
from runner.dataset.checks.registry import RULES, UNUSED_IGNORE
from runner.dataset.value import Dataset
from runner.display import one_line
from runner.errors import RunnerError
from runner.recipe.model import Level

VERSION = 1
# What is about the dataset and no record of it.
_WHOLE = "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The identities of examples by the code of what was found in them."""

    known: Mapping[str, frozenset[str]]

    def covers(self, hit: Hit, origin: Origin | None) -> bool:
        """Whether a hit was there before."""
        return _identity(origin) in self.known.get(hit.code, ())


def read_baseline(path: Path, file: str) -> Baseline:
    """Read a baseline; `file` is its name in messages. Raises RunnerError for a file that is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RunnerError(
            f"{file}: found no such baseline. `finetune check --write-baseline` writes one."
        ) from None
    try:
        found = _findings(content)
    except ValueError as error:
        raise RunnerError(
            f"{file}: found no baseline ({error}), expected what `finetune check --write-baseline` writes. "
            "Write it again."
        ) from None
    return Baseline(known={code: items for code, items in found.items() if _may_wait(code)})


def _findings(content: bytes) -> dict[str, frozenset[str]]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("findings", {}), dict):
        raise ValueError("it is JSON of another shape")
    version = value.get("baseline_version")
    if version != VERSION:
        raise ValueError(f"version {one_line(str(version))}, this program writes {VERSION}")
    findings = value.get("findings", {})
    if not all(isinstance(items, list) for items in findings.values()):
        raise ValueError("it is JSON of another shape")
    return {code: frozenset(map(str, items)) for code, items in findings.items()}


def write_baseline(path: Path, hits: Iterable[tuple[Hit, Origin | None]]) -> int:
    """Write all hits but those of enforced checks, sorted, one to a line; returns how many."""
    found: dict[str, set[str]] = {}
    for hit, origin in hits:
        if _may_wait(hit.code):
            found.setdefault(hit.code, set()).add(_identity(origin))
    value: dict[str, Any] = {
        "baseline_version": VERSION,
        "findings": {code: sorted(found[code]) for code in sorted(found)},
    }
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode("ascii"))
    return sum(map(len, found.values()))


def with_baseline(dataset: Dataset, baseline: Baseline, levels: Mapping[str, Level]) -> Dataset:
    """The dataset with the findings that are new."""
    groups, n_known = Groups(levels), 0
    for hit, origin in read_hits(dataset.hits_path):
        if baseline.covers(hit, origin):
            n_known += 1
        else:
            groups.add(hit, origin)
    return replace(dataset, findings=tuple(groups.findings()), n_known=n_known)


def outlived(baseline: Baseline, hits: Iterable[tuple[Hit, Origin | None]]) -> int:
    """How many entries of a baseline nothing has any more."""
    left = {code: set(items) for code, items in baseline.known.items()}
    for hit, origin in hits:
        left.get(hit.code, set()).discard(_identity(origin))
    return sum(map(len, left.values()))


def new_hits(
    hits: Iterable[tuple[Hit, Origin | None]], baseline: Baseline | None
) -> Iterator[tuple[Hit, Origin | None]]:
    """The hits that a baseline does not cover."""
    return ((hit, origin) for hit, origin in hits if baseline is None or not baseline.covers(hit, origin))


def _identity(origin: Origin | None) -> str:
    return origin.identity if origin else _WHOLE


def _may_wait(code: str) -> bool:
    rule = RULES.get(code)
    return rule is not None and not rule.is_enforced and code != UNUSED_IGNORE.code
