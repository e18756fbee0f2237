"""A review as data for programs."""

from dataclasses import asdict
from typing import Any

from runner.dataset.value import Finding
from runner.examples.read import Example
from runner.report.machine import example_data, issue_data
from runner.review.value import CheckChange, ExampleChange, ExampleChanges, Review, State


def review_data(review: Review) -> dict[str, Any]:
    """A review for programs; text is whole."""
    examples = review.examples
    return {
        "changed": review.is_changed,
        "name": review.name,
        "profile": review.profile,
        "before": _state_data(review.before),
        "after": _state_data(review.after),
        "recipe": [asdict(change) for change in review.changes],
        "profiles": [asdict(change) for change in review.profiles],
        "files": [asdict(change) for change in review.files],
        "examples": _examples_data(examples) if examples is not None else None,
        "checks": [_check_data(check) for check in review.checks],
        "problems": {
            "gained": [issue_data(issue) for issue in review.problems_gained],
            "lost": [issue_data(issue) for issue in review.problems_lost],
        },
        "note": review.note,
    }


def _state_data(state: State) -> dict[str, Any]:
    return {
        "label": state.label,
        "records": state.n_records,
        "training_file": asdict(state.training_file) if state.training_file else None,
        "validation_file": asdict(state.validation_file) if state.validation_file else None,
        "price": asdict(state.price) if state.price else None,
        "findings": [_finding_data(item) for item in state.findings] if state.findings is not None else None,
        "problems": len(state.problems),
    }


def _examples_data(examples: ExampleChanges) -> dict[str, Any]:
    data: dict[str, Any] = {"reordered": examples.reordered}
    for name in ("changed", "added", "removed", "moved"):
        listed = getattr(examples, name)
        data[name] = {
            "count": getattr(examples, f"n_{name}"),
            "first": [_example_data(item) for item in listed],
        }
    return data


def _example_data(change: ExampleChange) -> dict[str, Any]:
    def side(example: Example | None, name: str | None) -> dict[str, Any] | None:
        if example is None:
            return None
        data = {**example_data(example), "side": name}
        # A dataset that was not rendered now keeps no places, one of a lockfile no keys either.
        return data if example.file else {key: data[key] for key in data if key not in ("file", "row")}

    return {
        "before": side(change.before, change.side_before),
        "after": side(change.after, change.side_after),
    }


def _check_data(check: CheckChange) -> dict[str, Any]:
    before, after = (item.count if item else 0 for item in (check.before, check.after))
    return {**_finding_data(check.finding), "before": before, "after": after}


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "count": finding.count,
    }
