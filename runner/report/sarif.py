"""What was checked, as SARIF 2.1.0 for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html (2026-11)
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from runner import __version__
from runner.dataset.checks.checked import Checked, Result
from runner.dataset.checks.registry import RULES
from runner.dataset.checks.rule import Rule
from runner.display import neutralise
from runner.issues import Issue, Place
from runner.report.places import line_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Problems of the recipe, its records and tests have no code of their own.
PROBLEM = "invalid-input"
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "off": "none"}


def sarif_data(checked: Sequence[Checked]) -> dict[str, Any]:
    """One run with every check as a rule and the first results of each."""
    driver = {
        "name": "finetune-runner",
        "semanticVersion": __version__,
        "rules": [*map(_rule, RULES.values()), _problem_rule()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [result for item in checked for result in _results(item)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def inert(text: str) -> str:
    """Text of a message in which nothing is a link: brackets are escaped (section 3.11.6)."""
    safe = neutralise(text)
    for mark in "\\[]":
        safe = safe.replace(mark, f"\\{mark}")
    return safe


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": inert(rule.description)},
        "fullDescription": {"text": inert(rule.why)},
        "help": {"text": inert(rule.advice)},
        "defaultConfiguration": {"level": _LEVELS[rule.level], "enabled": rule.level != "off"},
    }


def _problem_rule() -> dict[str, Any]:
    return {
        "id": PROBLEM,
        "shortDescription": {"text": "The recipe, its records and its tests are sound."},
        "defaultConfiguration": {"level": "error"},
    }


def _results(checked: Checked) -> Iterator[dict[str, Any]]:
    for issue in checked.problems:
        yield {
            "ruleId": PROBLEM,
            "ruleIndex": len(RULES),
            "level": _LEVELS[issue.severity.value],
            "message": {"text": inert(_message(issue))},
            "locations": [_location(issue.place)],
        }
    indices = {code: index for index, code in enumerate(RULES)}
    counts = {finding.code: finding.count for finding in checked.findings}
    for result in checked.results:
        yield {
            "ruleId": result.code,
            "ruleIndex": indices[result.code],
            "level": _LEVELS[result.severity.value],
            "message": {"text": inert(result.message)},
            "locations": [_location(_place(result, checked.file))],
            "partialFingerprints": {"record/v1": _fingerprint(result, checked.file)},
            "properties": {"count": counts.get(result.code, 1)},
        }


def _message(issue: Issue) -> str:
    return f"{issue.path}: {issue.message}" if issue.path else issue.message


def _place(result: Result, file: str) -> Place:
    origin = result.origin
    return Place(file=origin.file, row=origin.row) if origin else Place(file=file)


def _fingerprint(result: Result, file: str) -> str:
    return f"{result.code}:{result.origin.identity if result.origin else file}"


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.file)}}
    line = place.line or (line_of(place.file, place.row) if place.row is not None else None)
    if line is not None:
        physical["region"] = {"startLine": line, **({"startColumn": place.column} if place.column else {})}
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.row is not None:
        location["logicalLocations"] = [{"name": f"row {place.row}", "kind": "element"}]
    return location
