"""The charts of a report, each with the table of the numbers behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from runner.execution.curves import Point
from runner.page.charts import Bar, Series, bar_chart, key, line_chart, line_table
from runner.providers.base import Checkpoint
from runner.report.profile import FileProfile
from runner.tokens.statistics import Bin, TokenStatistics

# In OpenAI's names for metrics, as events and result files have them.
KINDS = (("loss", "Loss"), ("accuracy", "Token accuracy"))
NAMES = {
    "train_loss": "training",
    "valid_loss": "validation, a batch",
    "full_valid_loss": "validation, all of it",
    "train_mean_token_accuracy": "training",
    "valid_mean_token_accuracy": "validation, a batch",
    "full_valid_mean_token_accuracy": "validation, all of it",
}


def curve_charts(
    curves: Mapping[str, Sequence[Point]], checkpoints: Sequence[Checkpoint]
) -> list[dict[str, Any]]:
    """A chart for losses, one for accuracies, and one for every other measure of a job."""
    by_name = dict(_merged(curves, checkpoints))
    charts = []
    for ending, title in KINDS:
        names = [name for name in _ordered(by_name) if name in NAMES and name.endswith(ending)]
        charts.append(_chart(title, {name: by_name.pop(name) for name in names}))
    charts += [_chart(name, {name: points}) for name, points in by_name.items()]
    return [chart for chart in charts if chart is not None]


def length_charts(profile: FileProfile) -> list[dict[str, Any]]:
    """How long the examples are, in tokens and in characters."""
    quality = "" if profile.tokens_exact else "estimated "
    return [
        _lengths(profile.tokens, f"{quality}tokens", 0),
        _lengths(profile.characters, "characters", 2),
    ]


def _merged(
    curves: Mapping[str, Sequence[Point]], checkpoints: Sequence[Checkpoint]
) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """The curves of the events, and of the checkpoints what no event told."""
    found = {name: {point.step: point.value for point in points} for name, points in curves.items()}
    for checkpoint in checkpoints:
        for name, value in checkpoint.metrics.items():
            if name in NAMES and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, {}).setdefault(checkpoint.step, float(value))
    return [(name, tuple(sorted(points.items()))) for name, points in found.items()]


def _ordered(names: Mapping[str, Any]) -> list[str]:
    known = list(NAMES)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Any] | None:
    series = [
        Series(
            name=NAMES.get(name, name),
            points=tuple(points),
            colour=place,
            dots=name.startswith("full_") or len(points) < 12,
        )
        for place, (name, points) in enumerate(lines.items())
    ]
    if not series:
        return None
    last = ", ".join(f"{item.name} {item.points[-1][1]:.4g}" for item in series)
    return {
        "title": title,
        "note": f"ends at: {last}",
        "key": Markup(key(series)) if len(series) > 1 else "",  # noqa: S704 - escaped by the charts
        "svg": Markup(line_chart(series, f"{title} by step; ends at: {last}")),  # noqa: S704
        "table": line_table(series),
    }


def _lengths(found: TokenStatistics, unit: str, colour: int) -> dict[str, Any]:
    told = (
        f"median {found.median:,}, 95 % up to {found.p95:,}, longest {found.maximum:,}"
        + (f", limit {found.limit:,}" if found.limit is not None else "")
        + (f", {found.over:,} above it" if found.over else "")
    )
    bars = [Bar(label=_range(part), count=part.n_examples) for part in found.bins]
    label = f"Training examples by their length in {unit}: {told}"
    return {
        "title": f"Length in {unit}",
        "note": told,
        "key": "",
        "svg": Markup(bar_chart(bars, label, unit, colour=colour)),  # noqa: S704 - escaped by the charts
        "table": {
            "title": "numbers",
            "header": (unit, "examples"),
            "rows": [(bar.label, f"{bar.count:,}") for bar in bars],
        },
    }


def _range(part: Bin) -> str:
    if part.high is None:
        return f"{part.low:,} and more"
    return f"{part.low:,}" if part.low == part.high else f"{part.low:,}–{part.high:,}"
