"""A dataset with its tokens counted, and what the count says of examples that are too long."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from runner.dataset.value import Dataset, DatasetFile, Finding
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.issues import Severity
from runner.tokens.blocks import Totals
from runner.tokens.counted import Counted, CountingError
from runner.tokens.counters import Counter
from runner.tokens.store import CountStore

# The codes of `runner.dataset.checks.length`, which most plans need nothing else of.
TOO_LONG, MAYBE_TOO_LONG = "FT106", "FT111"
_SHOWN_LINES = 3
# Beside the state's other caches.
STORE = Path("cache") / "tokens.sqlite"


def count_dataset(
    dataset: Dataset, counter: Counter, state: Path, watch: BuildWatch = UNWATCHED
) -> tuple[Counted, ...]:
    """Count the files of a dataset, or find them counted in a project's state. Raises CountingError."""
    with closing(CountStore(state / STORE)) as store:
        return tuple(count_file(dataset.path_of(file), file, counter, store, watch) for file in dataset.files)


def count_file(
    path: Path, file: DatasetFile, counter: Counter, store: CountStore, watch: BuildWatch = UNWATCHED
) -> Counted:
    """Count a dataset file, or find it counted. Raises CountingError."""
    weighed = store.find(counter.identity, bytes.fromhex(file.sha256))
    if weighed is None:
        from runner.tokens.counting import weigh_file

        weighed = weigh_file(path, file, counter, store, watch)
    return Counted(file=file, counter=counter, weighed=weighed)


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
        totals = _count_totals(dataset, counter, state, watch)
        files = [counted_file(file, counter, item) for file, item in zip(dataset.files, totals, strict=True)]
        dataset = replace(dataset, training_file=files[0], validation_file=files[1] if files[1:] else None)
        if longest is None or not all(file.tokens_exact for file in files):
            return dataset
        findings = tuple(item for item in dataset.findings if item.code != MAYBE_TOO_LONG)
        is_told = any(item.code == TOO_LONG for item in findings) or levels.get(TOO_LONG) == "off"
        if not is_told and any(item.longest > longest for item in totals):
            findings += _too_long(count_dataset(dataset, counter, state, watch), longest, levels)
    except CountingError:
        return dataset
    return replace(dataset, findings=findings)


def counted_file(file: DatasetFile, counter: Counter, totals: Totals) -> DatasetFile:
    """The file with its tokens."""
    return replace(
        file,
        n_tokens=totals.n_tokens,
        tokens_exact=counter.margin == 0 and not totals.n_inexact,
        token_counter=counter.identity,
    )


def _count_totals(dataset: Dataset, counter: Counter, state: Path, watch: BuildWatch) -> list[Totals]:
    with closing(CountStore(state / STORE)) as store:
        return [
            store.find_totals(counter.identity, bytes.fromhex(file.sha256))
            or count_file(dataset.path_of(file), file, counter, store, watch).weighed.totals
            for file in dataset.files
        ]


def _too_long(counted: Sequence[Counted], longest: int, levels: Mapping[str, str]) -> tuple[Finding, ...]:
    from runner.dataset.checks.length import LENGTH_RULES

    rule = next(item.rule for item in LENGTH_RULES if item.rule.code == TOO_LONG)
    findings = []
    for item, name in zip(counted, ("training", "validation"), strict=False):
        lengths = item.weighed.lengths
        lines = [line for line, length in enumerate(lengths, start=1) if length > longest]
        if not lines:
            continue
        shown = ", ".join(map(str, lines[:_SHOWN_LINES])) + (", …" if lines[_SHOWN_LINES:] else "")
        problem = rule.problem.format(found=max(lengths), limit=longest, quality="")
        message = f"{problem} Lines of the {name} file: {shown}. {rule.advice}"
        severity = Severity(levels.get(TOO_LONG, rule.level))
        findings.append(Finding(code=TOO_LONG, severity=severity, message=message, count=len(lines)))
    return tuple(findings)
