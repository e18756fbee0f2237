"""What was checked, as workflow commands of GitHub Actions, which become annotations.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands (2026-11)
"""

from collections.abc import Iterator, Sequence

from runner.dataset.checks.checked import Checked
from runner.dataset.checks.registry import RULES
from runner.dataset.value import Finding
from runner.display import neutralise
from runner.issues import Place
from runner.report.places import line_of

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def annotations_text(checked: Sequence[Checked]) -> str:
    """One command for each problem and finding: GitHub shows ten of a kind, so findings stay grouped."""
    return "\n".join(line for item in checked for line in _lines(item))


def _lines(checked: Checked) -> Iterator[str]:
    for issue in checked.problems:
        message = f"{issue.path}: {issue.message}" if issue.path else issue.message
        yield _command(_COMMANDS[issue.severity.value], issue.place, "finetune check", message)
    for finding in checked.findings:
        place = finding.places[0] if finding.places else Place(file=checked.file)
        title = f"{finding.code} {RULES[finding.code].name}"
        yield _command(_COMMANDS[finding.severity.value], place, title, _message(finding))


def _message(finding: Finding) -> str:
    if not finding.places:
        return finding.message
    places = "; ".join(map(str, finding.places))
    times = "once" if finding.count == 1 else f"{finding.count:,} times"
    return f"{finding.message} Found {times}: {places}" + (
        " …" if finding.count > len(finding.places) else ""
    )


def _command(command: str, place: Place, title: str, message: str) -> str:
    line = place.line or (line_of(place.file, place.row) if place.row is not None else None)
    values = {"file": place.file, "line": line, "col": place.column, "title": title}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in values.items() if value)
    return f"::{command} {properties}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as the runner unescapes it: a line break would begin a command of the data's own."""
    return neutralise(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
