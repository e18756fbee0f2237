"""Recipes and training files checked, with nothing planned: what was found, and where all of it stands."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from runner import building, pipeline
from runner.building import build_unfiltered
from runner.dataset.checks.baseline import (
    Baseline,
    new_hits,
    outlived,
    read_baseline,
    with_baseline,
    write_baseline,
)
from runner.dataset.checks.checked import Checked, Result
from runner.dataset.checks.checker import Checker, effective_levels, record_identity
from runner.dataset.checks.conversation import conversation_of_line
from runner.dataset.checks.hits import Hit, Origin, read_hits
from runner.dataset.checks.registry import RULES
from runner.dataset.checks.settings import baseline_path, default_baseline
from runner.dataset.index import identity_digest
from runner.dataset.measure import measure_line
from runner.dataset.recipe_tests import failed_key_tests
from runner.dataset.tokens import spared
from runner.dataset.value import Finding
from runner.display import one_line
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue
from runner.operator import Operator
from runner.project import find_project
from runner.providers.hosts import find_host
from runner.recipe.choosing import with_one_dataset
from runner.recipe.load import LoadedRecipe
from runner.sources.read import read_records
from runner.sources.supply import operators_file

# Results that a report lists one by one for each check; findings count all of them.
MAX_RESULTS = 200


def check_recipe(path: Path, operator: Operator, baseline: Path | None = None) -> Checked:
    """Build a recipe's dataset, judge it and run its tests; `baseline` stands for the recipe's own.

    Problems of the recipe and its records are part of the result. Raises RunnerError for what cannot be read.
    """
    try:
        loaded = with_one_dataset(pipeline.validate(path, operator), operator.only)
    except InvalidInputError as error:
        return Checked(file=_name(path), problems=error.issues)
    known = _baseline(loaded, baseline)
    try:
        return _checked(loaded, operator, known)
    except InvalidInputError as error:
        return Checked(file=loaded.document.file, problems=error.issues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A baseline that was written; `unnamed` is its name beside the recipe where no recipe names it yet."""

    file: str
    n_findings: int
    unnamed: str


def adopt(path: Path, operator: Operator, baseline: Path | None = None) -> Adopted:
    """Write the findings of a recipe to a baseline: the one given, the recipe's, or one beside it.

    Raises InvalidInputError, RunnerError.
    """
    loaded = with_one_dataset(pipeline.validate(path, operator), operator.only)
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    dataset = build_unfiltered(loaded, host, effort=operator.effort)
    named = baseline or baseline_path(loaded)
    target = named or default_baseline(loaded)
    count = write_baseline(target, read_hits(dataset.hits_path))
    return Adopted(
        file=loaded.project.name_of(target), n_findings=count, unnamed="" if named else target.name
    )


def unknown_length(path: Path, operator: Operator, provider: str, model: str) -> str:
    """A warning where a host's entry does not say how long an example of a model may be; else empty."""
    host = find_host(provider, operator.user_hosts, find_project(path))
    if host.model(model) is not None:
        return ""
    return (
        f"warning: {host.name}'s entry has no model '{one_line(model)}', so no example is too long. "
        f"{host.near_model(model)}"
    ).rstrip()


def check_file(path: Path, operator: Operator, provider: str, model: str | None) -> Checked:
    """Check a training file in the chat format as it is, for a provider and one of its models.

    Raises RunnerError for an unknown provider and a file that cannot be read.
    """
    if not path.exists():
        raise RunnerError(f"{path}: not found. Give the path of a training file.")
    host = find_host(provider, operator.user_hosts, find_project(path))
    limits, exact = building.yardstick_of(host, model)
    counter = spared(exact, limits.max_example_tokens)
    checker = Checker(limits, counter)
    kept = _Results()
    checker.listener = kept.add
    problems: list[Issue] = []
    n_examples = 0
    source, project = operators_file(path, find_project(path))
    operator.watch.begin(None, "checking")
    try:
        for record in read_records([replace(source, format="jsonl")], path.parent, project):
            operator.watch.advance(1, 0)
            made = conversation_of_line(record.data)
            if isinstance(made, str):
                problems.append(Issue(place=record.place, message=made))
                continue
            n_examples += 1
            counted = measure_line(record.data, counter).conversation
            origin = Origin(
                record_identity(identity_digest(f"row {record.row}", "")), record.file, record.row
            )
            checker.collect(origin, "training", checker.examiner.examine(counted))
    except InvalidInputError as error:
        problems += error.issues
    finally:
        operator.watch.end()
    size = path.stat().st_size
    findings = checker.findings(n_examples, 0, split_asked=False, keyed=True, sizes=(size, 0))
    return Checked(
        file=_name(path),
        n_examples=n_examples,
        codes=tuple(sorted(checker.setup.codes)),
        findings=tuple(findings),
        results=kept.with_severities(findings),
        problems=tuple(problems),
    )


def _checked(loaded: LoadedRecipe, operator: Operator, known: Baseline | None) -> Checked:
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    use_cache = not operator.environment.get("CI")
    dataset = build_unfiltered(loaded, host, use_cache=use_cache, effort=operator.effort)
    levels = effective_levels(loaded.recipe.checks)
    n_outlived = 0
    if known is not None:
        n_outlived = outlived(known, read_hits(dataset.hits_path))
        dataset = with_baseline(dataset, known, levels)
    kept = _Results()
    for hit, origin in new_hits(read_hits(dataset.hits_path), known):
        kept.add(hit, origin)
    ignore = loaded.recipe.checks.ignore
    return Checked(
        file=loaded.document.file,
        n_examples=sum(file.n_examples for file in dataset.files),
        codes=tuple(code for code, level in levels.items() if level != "off"),
        findings=dataset.findings,
        results=kept.with_severities(dataset.findings),
        problems=tuple(failed_key_tests(loaded)),
        ignored=tuple(
            (entry.code, entry.reason, count) for entry, count in zip(ignore, dataset.ignored, strict=True)
        ),
        n_known=dataset.n_known,
        n_outlived=n_outlived,
        n_tests=len(loaded.recipe.tests),
    )


class _Results:
    """The first hits of every check."""

    def __init__(self) -> None:
        self.kept: list[tuple[Hit, Origin | None]] = []
        self.counts: dict[str, int] = {}

    def add(self, hit: Hit, origin: Origin | None) -> None:
        """Keep a hit unless there are enough of its kind."""
        self.counts[hit.code] = self.counts.get(hit.code, 0) + 1
        if self.counts[hit.code] <= MAX_RESULTS:
            self.kept.append((hit, origin))

    def with_severities(self, findings: Iterable[Finding]) -> tuple[Result, ...]:
        """The hits in the order of their codes."""
        severities = {finding.code: finding.severity for finding in findings}
        return tuple(
            Result(
                code=hit.code,
                severity=severities[hit.code],
                message=RULES[hit.code].message.format(**hit.values),
                origin=origin,
            )
            for hit, origin in sorted(self.kept, key=lambda item: item[0].code)
        )


def _baseline(loaded: LoadedRecipe, given: Path | None) -> Baseline | None:
    path = given or baseline_path(loaded)
    return None if path is None else read_baseline(path, _name(path))


def _name(path: Path) -> str:
    project = find_project(path)
    return project.name_of(path) if project.contains(path) else path.name
