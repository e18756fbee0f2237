"""The evaluation of a report: a table for each grader, and what can be said of the candidates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from runner.evaluation.statistics import Interval
from runner.evaluation.value import Evaluation, Result
from runner.lock.evaluation import LockedEvaluation, LockedScore
from runner.page.charts import interval_chart, number, ticks
from runner.price import shown_usd
from runner.report.evaluation_text import (
    SHOWN_LEAKS,
    answer_lines,
    break_even_line,
    comparison_lines,
    size_lines,
)
from runner.report.run_report import RunReport

SHOWN_SLICES = 30
COSTS = ("p50", "p95", "tokens in", "out", "cost")
JUDGING = ("judge tokens", "judge cost")
_SHA256 = re.compile("[0-9a-f]{64}")
_HASH_CHARACTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A row of the table, from an evaluation or from what a lockfile keeps of one.

    `costs` stand below the headings of `COSTS`, and of `JUDGING` where a model judged an answer.
    """

    name: str
    scores: Mapping[str, Interval | LockedScore]
    failures: int
    costs: tuple[str, ...] = ()


def evaluation_part(report: RunReport) -> dict[str, Any] | None:
    """What the page shows of the evaluation; None without one."""
    evaluation = report.evaluation
    if evaluation is not None:
        candidates = candidates_of(evaluation)
        return {
            "gate": evaluation.gate,
            "lines": list(said(evaluation)),
            "tables": _tables(candidates, list(evaluation.graders), _caption(evaluation)),
            "slices": _slices(evaluation),
            "notes": [*notes(evaluation), *graded(evaluation.settings)],
        }
    if report.locked_evaluation is None:
        return None
    candidates, graders = locked_candidates(report.locked_evaluation)
    caption = f"{report.locked_evaluation.n_questions:,} questions, as the lockfile has them"
    return {
        "gate": None,
        "lines": [],
        "tables": _tables(candidates, graders, caption),
        "slices": None,
        "notes": list(graded(report.locked_evaluation.settings)),
    }


def said(evaluation: Evaluation) -> Iterator[str]:
    """What the comparisons say, a sentence each."""
    for comparison in evaluation.comparisons:
        yield from comparison_lines(comparison)
    yield from map(break_even_line, evaluation.break_even)


def notes(evaluation: Evaluation) -> Iterator[str]:
    """What limits the numbers: the size of the set, what was left out of it, and what else is to be known."""
    yield from size_lines(evaluation)
    questions = evaluation.questions
    for leak in questions.left_out[:SHOWN_LEAKS]:
        yield f"Left out: {leak.place} nearly repeats {leak.training_place} of the training records."
    if len(questions.left_out) > SHOWN_LEAKS:
        yield f"Left out: {len(questions.left_out) - SHOWN_LEAKS:,} more."
    if questions.overlap is not None:
        yield f"{questions.overlap:.0%} of the answers' runs of 13 tokens stand in training answers too."
    yield from answer_lines(evaluation.results)
    yield from evaluation.notes


def locked_candidates(locked: LockedEvaluation) -> tuple[list[Candidate], list[str]]:
    """The candidates of a lockfile, the tuned model first, and the graders."""
    found = [
        Candidate(name=name, scores=item.scores, failures=item.failures)
        for name, item in sorted(locked.candidates.items(), key=lambda pair: (pair[0] != "tuned", pair[0]))
    ]
    return found, list(dict.fromkeys(name for item in found for name in item.scores))


def _caption(evaluation: Evaluation) -> str:
    on = {"validation": "held out", "training": "that were trained on", "sources": "of evaluation.sources"}
    return f"{evaluation.questions.n:,} questions {on[evaluation.questions.on]}"


def candidates_of(evaluation: Evaluation) -> list[Candidate]:
    """The rows of an evaluation."""
    judged = any(result.judge_tokens != 0 for result in evaluation.results)
    return [
        Candidate(
            name=result.name,
            scores=result.scores,
            failures=result.failures,
            costs=(*_costs(result), *(_judging(result) if judged else ())),
        )
        for result in evaluation.results
    ]


def graded(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What the scores of each grader depend on, a line each."""
    for name, values in settings.items():
        yield f"{name}: {_setting(values)}"


def _setting(values: Mapping[str, Any]) -> str:
    rest = (f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items() if name != "type")
    return ", ".join([str(values["type"]), *rest])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} ({_setting(part)})" for name, part in value.items())
    text = str(value)
    return text[:_HASH_CHARACTERS] if _SHA256.fullmatch(text) else text


def _costs(result: Result) -> tuple[str, ...]:
    return (
        _seconds(result.p50_s),
        _seconds(result.p95_s),
        _count(result.prompt_tokens),
        _count(result.completion_tokens),
        shown_usd(result.usd),
    )


def _judging(result: Result) -> tuple[str, ...]:
    return (_count(result.judge_tokens), shown_usd(result.judge_usd))


def _tables(candidates: list[Candidate], graders: list[str], caption: str) -> list[dict[str, Any]]:
    """A table for each grader; the first also says what the answers cost."""
    return [
        _table(candidates, grader, caption if place == 0 else "", with_costs=place == 0)
        for place, grader in enumerate(graders)
    ]


def _table(candidates: list[Candidate], grader: str, caption: str, *, with_costs: bool) -> dict[str, Any]:
    scores = [item.scores[grader] for item in candidates if grader in item.scores]
    around = ticks(
        min([0.0, *(score.low for score in scores)]), max([0.0, *(score.high for score in scores)])
    )
    low, high = around[0], around[-1]
    return {
        "grader": grader,
        "caption": caption,
        "scale": f"{number(low)} to {number(high)}",
        "costs": (COSTS + JUDGING)[: min(len(item.costs) for item in candidates)] if with_costs else (),
        "rows": [_row(item, grader, (low, high)) for item in candidates],
    }


def _row(item: Candidate, grader: str, bounds: tuple[float, float]) -> dict[str, Any]:
    score = item.scores.get(grader)
    row = {"name": item.name, "failures": f"{item.failures:,}", "costs": item.costs}
    if score is None:
        return {**row, "mean": "–", "interval": "–", "n": "0", "svg": ""}
    told = f"{item.name}: {score.mean:.3f}, 95 % interval {score.low:.3f} to {score.high:.3f}"
    chart = interval_chart(score.mean, score.low, score.high, bounds, told)
    return {
        **row,
        "mean": f"{score.mean:.3f}",
        "interval": f"{score.low:.3f} – {score.high:.3f}",
        "n": f"{score.n:,}",
        "svg": Markup(chart),  # noqa: S704 - escaped by the charts
    }


def _slices(evaluation: Evaluation) -> dict[str, Any] | None:
    """The means by the values of fields, by the grader that decides; the largest slices first."""
    grader = evaluation.deciding_grader
    names = [result.name for result in evaluation.results]
    found: dict[tuple[str, str], dict[str, Interval]] = {}
    for item in evaluation.slices:
        if item.grader == grader:
            found.setdefault((item.field, item.value), {})[item.candidate] = item.score
    if not found:
        return None
    largest = sorted(found.items(), key=lambda pair: -max(score.n for score in pair[1].values()))
    rows = [
        (
            f"{field} = {value[:60]}",
            f"{max(score.n for score in scores.values()):,}",
            *(f"{scores[name].mean:.3f}" if name in scores else "–" for name in names),
        )
        for (field, value), scores in largest[:SHOWN_SLICES]
    ]
    return {"header": (grader, "n", *names), "rows": rows}


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
