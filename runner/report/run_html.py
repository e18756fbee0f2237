"""A run's report as one page that needs nothing else: no script, no request, every text escaped."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from runner.display import one_line
from runner.page.document import policy, render, style
from runner.report.diff_html import changes_html
from runner.report.run_answers import answer_browser
from runner.report.run_charts import curve_charts, length_charts
from runner.report.run_evaluation import evaluation_part
from runner.report.run_report import RunReport
from runner.report.run_tables import (
    checkpoint_table,
    data_tables,
    figures,
    file_table,
    past_table,
    provenance_rows,
    settings_table,
    source_table,
)

PACKAGE = "runner.report"
# A file that a person writes; what is longer was made.
RECIPE_CHARACTERS = 60_000
SAMPLE_CHARACTERS = 4_000


def report_html(report: RunReport) -> str:
    """The page."""
    sheet = style(PACKAGE, "report.css")
    values = {
        "evaluation": evaluation_part(report),
        "browser": answer_browser(report.evaluation) if report.evaluation else None,
        "curves": curve_charts(report.curves, report.checkpoints),
        "checkpoints": checkpoint_table(report.checkpoints),
        "changes": list(_changes(report)),
        "data": _data(report),
    }
    return render(
        PACKAGE,
        "report.html.j2",
        title=one_line(f"{report.name}: report"),
        style=Markup(sheet),  # noqa: S704 - our own file
        policy=policy(sheet),
        name=report.name,
        description=report.description,
        file=report.file,
        recipe_text=cut(report.recipe_text, RECIPE_CHARACTERS),
        parts=_parts(values),
        figures=figures(report),
        missing=report.missing,
        settings=settings_table(report),
        provenance=provenance_rows(report),
        sources=source_table(report),
        past=past_table(report),
        **values,
    )


def cut(text: str, limit: int) -> str:
    """A text, or its beginning and how much of it is left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def _parts(values: dict[str, Any]) -> list[tuple[str, str]]:
    """The parts that this report has, by the anchors of their headings."""
    named = [
        ("evaluation", "evaluation", "Evaluation"),
        ("browser", "answers", "Wins and losses"),
        ("curves", "training", "Training"),
        ("changes", "changes", "Changes"),
        ("data", "data", "Data"),
    ]
    found = [(anchor, text) for name, anchor, text in named if values[name]]
    return [*found, ("recipe", "Recipe"), ("provenance", "Price and provenance")]


def _changes(report: RunReport) -> Iterator[dict[str, Any]]:
    named = (("Since the run before", report.changes), ("Not trained yet", report.pending))
    for title, review in named:
        if review is not None:
            # Built of escaped pieces alone.
            yield {"title": title, "body": Markup(changes_html(review, level=4))}  # noqa: S704


def _data(report: RunReport) -> dict[str, Any] | None:
    profiles = [
        (name, profile)
        for name, profile in (("training", report.training), ("validation", report.validation))
        if profile is not None
    ]
    if not profiles:
        return None
    return {
        "files": file_table(profiles),
        "charts": length_charts(profiles[0][1]),
        "tables": data_tables(profiles),
        "findings": [str(finding) for finding in report.findings],
        "checked": report.price is not None,
        "samples": [
            {"title": f"{name}, line {sample.line:,}", "turns": _turns(sample.messages)}
            for name, profile in profiles
            for sample in profile.samples
        ],
    }


def _turns(messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(role, cut(content, SAMPLE_CHARACTERS)) for role, content in messages]
