"""What was checked, as JSON data for programs."""

from collections.abc import Sequence
from typing import Any

from runner.dataset.checks.checked import Checked, Result
from runner.dataset.checks.rule import Rule
from runner.report.machine import finding_data, issue_data


def checked_data(checked: Sequence[Checked]) -> dict[str, Any]:
    """Every recipe or file with its findings, and the first results of each check."""
    return {
        "ok": not any(item.has_errors for item in checked),
        "checked": [_one(item) for item in checked],
    }


def rule_data(rule: Rule) -> dict[str, Any]:
    """All there is to know about a check."""
    return {
        "code": rule.code,
        "name": rule.name,
        "level": rule.level,
        "enforced": rule.is_enforced,
        "description": rule.description,
        "why": rule.why,
        "message": rule.message,
        "found": rule.bad,
        "clean": rule.good,
        "extra": "checks" if rule.extra else None,
        "fix": rule.safe_fix or None,
    }


def _one(checked: Checked) -> dict[str, Any]:
    return {
        "file": checked.file,
        "examples": checked.n_examples,
        "findings": [finding_data(finding) for finding in checked.findings],
        "results": [_result(result) for result in checked.results],
        "problems": [issue_data(issue) for issue in checked.problems],
        "ignored": [
            {"code": code, "reason": reason, "count": count} for code, reason, count in checked.ignored
        ],
        "baseline": {"known": checked.n_known, "outlived": checked.n_outlived},
        "tests": checked.n_tests,
    }


def _result(result: Result) -> dict[str, Any]:
    origin = result.origin
    place = {"file": origin.file, "row": origin.row, "record": origin.identity} if origin else {}
    return {"code": result.code, "severity": result.severity.value, "message": result.message, **place}
