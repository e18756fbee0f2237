"""Charts as SVG of our own: lines over steps, bars, intervals. Every text in them is escaped."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from runner.display import neutralise

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 34
# More points than pixels cannot be told apart.
MAX_POINTS = 500
# More rows are read by nobody; the files of results have them all.
MAX_ROWS = 100
# The colours of style.css.
N_COLOURS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A named line of (x, y) by rising x; `colour` counts from 0. With `dots` every point is marked."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar with its label below."""

    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values to places in a chart, linear."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def line_chart(series: Sequence[Series], label: str, x_name: str = "step") -> str:
    """Lines in one frame; `label` is what a screen reader says. Series without points leave no trace."""
    drawn = [item for item in series if item.points]
    if not drawn:
        return ""
    xs = [x for item in drawn for x, _ in item.points]
    y_ticks = ticks(*_span([y for item in drawn for _, y in item.points]))
    x_ticks = [tick for tick in ticks(min(xs), max(xs), 6) if min(xs) <= tick <= max(xs)]
    x = Scale(low=min(xs), high=max(xs), start=LEFT, end=WIDTH - RIGHT)
    y = Scale(low=y_ticks[0], high=y_ticks[-1], start=HEIGHT - BOTTOM, end=TOP)
    parts = [
        *_horizontal(y_ticks, y),
        *(_text(x(tick), HEIGHT - BOTTOM + 16, number(tick), "middle") for tick in x_ticks),
        _text(WIDTH - RIGHT, HEIGHT - 2, x_name, "end"),
        *(part for item in drawn for part in _line(item, x, y)),
    ]
    return _svg(WIDTH, HEIGHT, label, parts)


def line_table(series: Sequence[Series], limit: int = MAX_ROWS) -> dict[str, Any]:
    """The numbers behind lines over steps: title, header and rows for `numbers` of tables.html.j2.

    Of more than `limit` steps it has that many, evenly spaced with the first and the last; its title says so.
    """
    drawn = [item for item in series if item.points]
    values = [dict(item.points) for item in drawn]
    steps = sorted({step for value in values for step in value})
    shown = steps
    if len(steps) > limit:
        shown = [steps[round(place * (len(steps) - 1) / (limit - 1))] for place in range(limit)]
    rows = [
        (f"{step:,.0f}", *(f"{value[step]:.4g}" if step in value else "" for value in values))
        for step in shown
    ]
    title = "numbers" if shown is steps else f"numbers: {len(shown):,} of {len(steps):,} steps, evenly spaced"
    return {"title": title, "header": ("step", *(item.name for item in drawn)), "rows": rows}


def bar_chart(bars: Sequence[Bar], label: str, x_name: str, *, colour: int = 0) -> str:
    """Bars of counts side by side, each with its number as a tooltip."""
    if not bars:
        return ""
    height = 200
    y_ticks = ticks(0, max(1, *(bar.count for bar in bars)), 4)
    y = Scale(low=0, high=y_ticks[-1], start=height - BOTTOM, end=TOP)
    step = (WIDTH - LEFT - RIGHT) / len(bars)
    every = max(1, math.ceil(len(bars) / 6))
    parts = list(_horizontal(y_ticks, y))
    for place, bar in enumerate(bars):
        left, top = LEFT + place * step, y(bar.count)
        parts.append(
            f'<rect class="s{colour}" x="{left + 1:.1f}" y="{top:.1f}" width="{max(1.0, step - 2):.1f}" '
            f'height="{y.start - top:.1f}"><title>{_escaped(bar.label)}: {bar.count:,}</title></rect>'
        )
        if place % every == 0:
            parts.append(_text(left + 1, height - BOTTOM + 16, bar.label.partition("–")[0], "start"))
    parts.append(_text(WIDTH - RIGHT, height - 2, x_name, "end"))
    return _svg(WIDTH, height, label, parts)


def interval_chart(mean: float, low: float, high: float, bounds: tuple[float, float], label: str) -> str:
    """A mean with its interval between common bounds, for the cell of a table."""
    x = Scale(low=bounds[0], high=bounds[1], start=6, end=170)
    parts = [
        '<line class="grid" x1="6" y1="12" x2="170" y2="12"/>',
        f'<path class="s0" d="M{x(low):.1f} 12H{x(high):.1f}M{x(low):.1f} 8v8M{x(high):.1f} 8v8"/>',
        f'<circle class="s0" cx="{x(mean):.1f}" cy="12" r="4"/>',
    ]
    if bounds[0] < 0 < bounds[1]:
        parts.insert(0, f'<line class="axis" x1="{x(0):.1f}" y1="2" x2="{x(0):.1f}" y2="22"/>')
    return _svg(176, 24, label, parts, kind="cell")


def key(series: Iterable[Series]) -> str:
    """Which colour is which line, beside a chart."""
    return "".join(
        f'<span class="key"><svg viewBox="0 0 20 8" aria-hidden="true">{_swatch(item)}</svg>'
        f"{_escaped(item.name)}</span>"
        for item in series
        if item.points
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers, about `count`, of which the first is not above `low` and the last not below `high`."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def thinned(points: Sequence[tuple[float, float]], limit: int = MAX_POINTS) -> list[tuple[float, float]]:
    """At most about `limit` points; of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= limit:
        return list(points)
    size = math.ceil(len(points) / (limit // 2))
    kept = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        kept += sorted({min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])})
    return kept


def number(value: float) -> str:
    """A number as short as it can be told on an axis."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:,.6f}".rstrip("0").rstrip(".") or "0"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    # What is near zero is seen against it.
    return (0.0, high) if 0 <= low < high / 2 else (low, high)


def _line(item: Series, x: Scale, y: Scale) -> Iterator[str]:
    points = [(x(at), y(value)) for at, value in thinned(item.points)]
    if len(points) > 1:
        path = "L".join(f"{at:.1f} {value:.1f}" for at, value in points)
        yield f'<path class="s{item.colour % N_COLOURS}" d="M{path}"/>'
    if item.dots or len(points) == 1:
        for at, value in item.points[-MAX_POINTS:]:
            told = f"{_escaped(item.name)}, {number(at)}: {value:.4g}"
            yield (
                f'<circle class="s{item.colour % N_COLOURS}" cx="{x(at):.1f}" cy="{y(value):.1f}" r="3.5">'
                f"<title>{told}</title></circle>"
            )


def _swatch(item: Series) -> str:
    colour = item.colour % N_COLOURS
    dot = f'<circle class="s{colour}" cx="10" cy="4" r="3.5"/>' if item.dots else ""
    return f'<path class="s{colour}" d="M0 4H20"/>{dot}'


def _horizontal(values: Iterable[float], y: Scale) -> Iterator[str]:
    for value in values:
        at = y(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>'
        yield _text(LEFT - 8, at + 4, number(value), "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_escaped(text)}</text>'


def _svg(width: int, height: int, label: str, parts: Iterable[str], kind: str = "chart") -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{_escaped(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _escaped(text: str) -> str:
    return escape(neutralise(text))
