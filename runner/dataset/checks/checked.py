"""What checking one recipe or training file came to, as a value."""

from dataclasses import dataclass

from runner.dataset.checks.hits import Origin
from runner.dataset.value import Finding
from runner.issues import Issue, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One record in which a check found something; no origin where it is about the dataset."""

    code: str
    severity: Severity
    message: str
    origin: Origin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking one recipe or training file came to.

    `codes` are the checks that were run. `problems` keep a dataset from being made: in the recipe, its
    records or its tests. `ignored` are the suppressions with how often each applied; `n_known` and
    `n_outlived` speak of the baseline.
    """

    file: str
    n_examples: int = 0
    codes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    results: tuple[Result, ...] = ()
    problems: tuple[Issue, ...] = ()
    ignored: tuple[tuple[str, str, int], ...] = ()
    n_known: int = 0
    n_outlived: int = 0
    n_tests: int = 0

    @property
    def has_errors(self) -> bool:
        """Whether a run would be refused."""
        return bool(self.problems) or any(item.severity is Severity.ERROR for item in self.findings)
