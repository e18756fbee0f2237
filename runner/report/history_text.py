"""Past runs as a table."""

from collections.abc import Sequence

from runner.execution.history import PastRun
from runner.report.terminal import table_text

HEADER = ("WHEN", "PROFILE", "ATTEMPT", "JOB", "STATUS", "MODEL", "FINE-TUNED MODEL", "TOKENS", "WHY")


def history_text(runs: Sequence[PastRun], width: int | None = None) -> str:
    """Past runs, a line each; every value came from a file and is shown as text."""
    return table_text(HEADER, map(_row, runs), width=width) if runs else "no runs so far"


def _row(past: PastRun) -> tuple[str, ...]:
    job = past.job
    tokens = job.get("trained_tokens")
    shown = f"{tokens:,}" if isinstance(tokens, int) else ""
    names = ("attempt", "id", "status", "model", "fine_tuned_model")
    when = past.at.replace("T", " ").removesuffix("Z")
    return (when, past.profile, *(str(job.get(name, "")) for name in names), shown, past.reason)
