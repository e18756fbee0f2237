"""What was checked, for a terminal: grouped, the worst first, with what to do."""

from collections.abc import Iterator, Sequence

from runner.dataset.checks.checked import Checked
from runner.dataset.checks.registry import RULES
from runner.dataset.value import Finding
from runner.display import counted, neutralise
from runner.issues import Severity

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_MAX_PROBLEMS = 50


def checked_text(checked: Sequence[Checked]) -> str:
    """Every recipe or file with its findings, and in the end where to read more."""
    parts = ["\n".join(_lines(item)) for item in checked]
    codes = [finding.code for item in checked for finding in _sorted(item.findings)]
    if codes:
        parts.append(f"`finetune explain {codes[0]}` says more.")
    return neutralise("\n\n".join(parts))


def _lines(checked: Checked) -> Iterator[str]:
    yield f"{checked.file}: {_summary(checked)}"
    for issue in checked.problems[:_MAX_PROBLEMS]:
        yield f"  {issue}"
    if len(checked.problems) > _MAX_PROBLEMS:
        yield f"  … {len(checked.problems) - _MAX_PROBLEMS} more problems like these"
    for finding in _sorted(checked.findings):
        yield from _finding_lines(finding)
    if checked.n_known:
        yield f"  in the baseline: {counted(checked.n_known, 'finding')}"
    if checked.n_outlived:
        yield (
            f"  in the baseline, found no more: {checked.n_outlived:,}; "
            "`finetune check --write-baseline` drops them"
        )
    for code, reason, count in checked.ignored:
        if count:
            yield f"  ignored: {code} {_times(count)} ({reason})"
    if checked.n_tests and not checked.problems:
        yield f"  {counted(checked.n_tests, 'test')} passed"


def _summary(checked: Checked) -> str:
    if checked.problems and not checked.n_examples:
        return counted(len(checked.problems), "problem")
    counts = [
        counted(sum(item.severity is severity for item in checked.findings), name)
        for severity, name in zip(_ORDER, ("error", "warning", "note"), strict=True)
        if any(item.severity is severity for item in checked.findings)
    ]
    if checked.problems:
        counts.insert(0, counted(len(checked.problems), "problem"))
    return f"{', '.join(counts) or 'nothing found'} in {counted(checked.n_examples, 'example')}"


def _finding_lines(finding: Finding) -> Iterator[str]:
    rule = RULES[finding.code]
    places = "; ".join(str(place) for place in finding.places)
    more = finding.count - len(finding.places)
    where = f": {places}" + (f" and {more:,} more" if more > 0 else "") if places else ""
    yield f"  {finding.severity.value} {finding.code} {rule.name}, {_times(finding.count)}{where}"
    yield f"    {finding.message.removesuffix(rule.advice).rstrip()}"
    yield f"    {rule.advice}"


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), finding.code))


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
