"""A run's report as a pull request's comment: numbers in tables, what came from files inside fences."""

import re
from collections.abc import Iterable, Iterator

from runner.display import one_line
from runner.execution.curves import Point
from runner.page.charts import thinned
from runner.report.diff_markdown import MAX_CHARACTERS, changes_markdown, fence
from runner.report.evaluation_text import score_text
from runner.report.run_evaluation import candidates_of, graded, locked_candidates, notes, said
from runner.report.run_report import RunReport
from runner.report.run_tables import figures, provenance_rows

SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 48
SHOWN_CANDIDATES = 40
# Shares of the whole, so that no part crowds out another.
_LINES_CHARACTERS = 8_000
_CHANGES_CHARACTERS = 30_000
_SAFE_NAME = re.compile(r"[a-z0-9-]+")


def report_markdown(report: RunReport) -> str:
    """The report, at most MAX_CHARACTERS long."""
    name = report.name if _SAFE_NAME.fullmatch(report.name) else "recipe"
    marker = re.sub(r"[^a-z0-9_]", "_", report.profile)
    parts = [
        # Whoever posts it finds its own earlier comment by this line and replaces it.
        f"<!-- finetune report {name} {marker} -->",
        f"### Report: `{name}`",
        _table(("", ""), [(label, _code(value)) for label, value, _ in figures(report)]),
        *_evaluation(report),
        *_curves(report),
        *_changes(report),
        _block("missing", report.missing),
        _block("provenance", (f"{label}: {value}" for label, value, _ in provenance_rows(report))),
    ]
    text = "\n\n".join(part for part in parts if part)
    if len(text) > MAX_CHARACTERS:
        raise AssertionError("BUG: the parts are larger than their shares")
    return text


def spark(values: list[float]) -> str:
    """A line of blocks, from the lowest of the values to the highest."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(SPARKS[round((value - low) / span * (len(SPARKS) - 1))] for value in values)


def _evaluation(report: RunReport) -> Iterator[str]:
    evaluation, locked = report.evaluation, report.locked_evaluation
    if evaluation is not None:
        graders = list(evaluation.graders)
        candidates, settings = candidates_of(evaluation), evaluation.settings
    elif locked is not None:
        candidates, graders = locked_candidates(locked)
        settings = locked.settings
    else:
        return
    yield "**evaluation**"
    if evaluation is not None and evaluation.gate is not None:
        yield fence([evaluation.gate.sentence], "text", _LINES_CHARACTERS)
    yield _table(
        ("", *(_cell(grader) for grader in graders), "failed"),
        [
            (
                _code(item.name),
                *(score_text(item.scores.get(grader)) for grader in graders),
                str(item.failures),
            )
            for item in candidates[:SHOWN_CANDIDATES]
        ],
    )
    lines = [*said(evaluation), *notes(evaluation)] if evaluation is not None else []
    yield _block("", [*lines, *graded(settings)])


def _curves(report: RunReport) -> Iterator[str]:
    lines = [
        f"{name.ljust(width)}  {_spark(points)}  {points[0].value:.4g} → {points[-1].value:.4g}"
        for width in [max(map(len, report.curves), default=0)]
        for name, points in list(report.curves.items())[:12]
        if points
    ]
    if lines:
        yield f"**curves**\n\n{fence(lines, 'text', _LINES_CHARACTERS)}"


def _spark(points: tuple[Point, ...]) -> str:
    kept = thinned([(point.step, point.value) for point in points], SPARK_WIDTH)
    return spark([value for _, value in kept])


def _changes(report: RunReport) -> Iterator[str]:
    named = [
        (title, review)
        for title, review in (("since the run before", report.changes), ("not trained yet", report.pending))
        if review is not None and review.is_changed
    ]
    for title, review in named:
        yield f"<details><summary>{title}</summary>"
        yield changes_markdown(review, _CHANGES_CHARACTERS // (2 * len(named)))
        yield "</details>"


def _block(title: str, lines: Iterable[str]) -> str:
    listed = [one_line(line, limit=600) for line in lines]
    if not listed:
        return ""
    heading = f"**{title}**\n\n" if title else ""
    return f"{heading}{fence(listed, 'text', _LINES_CHARACTERS)}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    made = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "|---|" + "--:|" * (len(header) - 1)
    return "\n".join(["| " + " | ".join(header) + " |", rule, *made]) if made else ""


def _code(text: str) -> str:
    """A value that may come from anywhere, as code that no markdown can leave."""
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return one_line(text, limit=120).replace("`", "'").replace("|", "¦").replace("<", "‹").replace("@", "﹫")
