"""A dataset with its tokens counted, and what the count says of examples that are too long."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from runner.dataset.checks.length import LENGTH_RULES
from runner.dataset.value import Dataset, DatasetFile, Finding
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.issues import Severity
from runner.tokens.counters import Counter
from runner.tokens.counting import Counted, CountingError, count_file
from runner.tokens.store import CountStore

TOO_LONG, MAYBE_TOO_LONG = (item.rule for item in LENGTH_RULES)
_SHOWN_LINES = 3
# Beside the state's other caches.
STORE = Path("cache") / "tokens.sqlite"


def count_dataset(
    dataset: Dataset, counter: Counter, state: Path, watch: BuildWatch = UNWATCHED
) -> tuple[Counted, ...]:
    """Count the files of a dataset, or find them counted in a project's state. Raises CountingError."""
    with closing(CountStore(state / STORE)) as store:
        return tuple(count_file(dataset.path_of(file), file, counter, store, watch) for file in dataset.files)


def with_tokens(  # noqa: PLR0913 - what is counted with, for whom, and who is told
    dataset: Dataset,
    counter: Counter | None,
    state: Path,
    longest: int | None,
    levels: Mapping[str, str],
    watch: BuildWatch = UNWATCHED,
) -> Dataset:
    """The dataset with counted tokens; as it is where there is no exact counter, or counting fails.

    Where the build could but estimate, what the count says of examples beyond `longest` tokens takes the
    place of what it said. `levels` are those that the recipe sets.
    """
    if counter is None:
        return dataset
    try:
        counted = count_dataset(dataset, counter, state, watch)
    except CountingError:
        return dataset
    files = [counted_file(item) for item in counted]
    dataset = replace(dataset, training_file=files[0], validation_file=files[1] if files[1:] else None)
    return replace(dataset, findings=_findings(dataset, counted, longest, levels))


def counted_file(counted: Counted) -> DatasetFile:
    """The file with its tokens."""
    weighed = counted.weighed
    return replace(
        counted.file,
        n_tokens=weighed.n_tokens,
        tokens_exact=counted.counter.margin == 0 and not weighed.n_inexact,
        token_counter=counted.counter.identity,
    )


def _findings(
    dataset: Dataset, counted: Sequence[Counted], longest: int | None, levels: Mapping[str, str]
) -> tuple[Finding, ...]:
    is_sure = all(file.tokens_exact for file in dataset.files)
    if longest is None or not is_sure:
        return dataset.findings
    kept = tuple(item for item in dataset.findings if item.code != MAYBE_TOO_LONG.code)
    if any(item.code == TOO_LONG.code for item in kept) or levels.get(TOO_LONG.code) == "off":
        return kept
    return (*kept, *_too_long(counted, longest, levels))


def _too_long(counted: Sequence[Counted], longest: int, levels: Mapping[str, str]) -> list[Finding]:
    findings = []
    for item, name in zip(counted, ("training", "validation"), strict=False):
        lengths = item.weighed.lengths
        lines = [line for line, length in enumerate(lengths, start=1) if length > longest]
        if not lines:
            continue
        shown = ", ".join(map(str, lines[:_SHOWN_LINES])) + (", …" if lines[_SHOWN_LINES:] else "")
        problem = TOO_LONG.problem.format(found=max(lengths), limit=longest, quality="")
        message = f"{problem} Lines of the {name} file: {shown}. {TOO_LONG.advice}"
        severity = Severity(levels.get(TOO_LONG.code, TOO_LONG.level))
        findings.append(Finding(code=TOO_LONG.code, severity=severity, message=message, count=len(lines)))
    return findings
