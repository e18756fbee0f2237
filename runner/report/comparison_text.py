"""How the result of a repeated job compares, as text and as data."""

from dataclasses import asdict
from typing import Any

from runner.display import one_line
from runner.execution.comparison import Compared, Comparison
from runner.report.terminal import table_text

UNKNOWN = "not known"


def comparison_text(comparison: Comparison) -> str:
    """A line for every value of the two results, and what they come to."""
    head = f"{comparison.job} (attempt {comparison.attempt}) repeats {comparison.repeated}"
    rows = [(value.verdict, value.name, _values(value)) for value in comparison.values]
    return "\n".join(
        [one_line(head, limit=200), table_text(("", "", ""), rows).lstrip("\n"), verdict(comparison)]
    )


def verdict(comparison: Comparison) -> str:
    """In one sentence, whether the result was reproduced."""
    if comparison.differences:
        named = (f"{value.name} {_values(value)}" for value in comparison.differences)
        return f"differs: {'; '.join(named)}"
    if comparison.has_same_weights:
        return "same weights"
    unknown = ", ".join(value.name for value in comparison.values if value.verdict == "unknown")
    return f"the same as far as it can be compared; not known on both sides: {unknown}"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison for programs."""
    values = [{**asdict(value), "verdict": value.verdict} for value in comparison.values]
    return {
        "repeated": comparison.repeated,
        "job": comparison.job,
        "attempt": comparison.attempt,
        "values": values,
        "same_weights": comparison.has_same_weights,
    }


def _values(value: Compared) -> str:
    before, after = (UNKNOWN if item is None else one_line(str(item)) for item in (value.before, value.after))
    return before if before == after else f"{before} → {after}"
