"""Checks explained in a terminal."""

from collections.abc import Iterable
from textwrap import fill, indent

from runner.dataset.checks.rule import Rule
from runner.display import spelled_out

_WIDTH = 100


def rule_text(rule: Rule) -> str:
    """All there is to know about a check."""
    parts = [
        f"{rule.code} {rule.name} ({rule.level})",
        fill(rule.description, _WIDTH),
        _paragraph("Why", rule.why),
        _paragraph("What it says", rule.message),
        "\n".join(_notes(rule)),
        f"Found:\n{indent(spelled_out(rule.bad), '  ')}",
        f"Clean:\n{indent(spelled_out(rule.good), '  ')}",
    ]
    return "\n\n".join(part for part in parts if part)


def rules_text(rules: Iterable[Rule]) -> str:
    """One line for each check."""
    listed = list(rules)
    width = max(len(rule.name) for rule in listed)
    lines = [f"{rule.code}  {rule.level:<7}  {rule.name:<{width}}  {rule.description}" for rule in listed]
    return "\n".join(lines)


def _notes(rule: Rule) -> Iterable[str]:
    if rule.is_enforced:
        yield "Hosted services enforce it: no recipe can lower or suppress it."
    if rule.extra:
        yield "It needs more packages: pip install 'finetune-runner[checks]'"
    if rule.safe_fix:
        yield f"`finetune check --fix` {rule.safe_fix}."


def _paragraph(name: str, text: str) -> str:
    return fill(f"{name}: {text}", _WIDTH, subsequent_indent="  ")
