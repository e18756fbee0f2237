"""Charts: round ticks, no lost peak, escaped text."""

from runner.page.charts import (
    Bar,
    Series,
    bar_chart,
    interval_chart,
    line_chart,
    line_table,
    number,
    thinned,
    ticks,
)


def test_ticks_are_round_and_hold_the_values() -> None:
    assert [0.0, 2.0, 4.0, 6.0, 8.0] == ticks(0, 7.3)
    assert [20, 40, 60] == ticks(30, 60, 2)
    assert [3.0, 4.0, 5.0, 6.0] == ticks(3, 3)
    assert 0.001 >= ticks(0.0011, 0.0048)[0]


def test_a_thinned_line_keeps_its_peak() -> None:
    points = [(float(step), 100.0 if step == 777 else 1.0) for step in range(10_000)]
    kept = thinned(points, 100)

    assert 100 >= len(kept)
    assert (777.0, 100.0) in kept
    assert sorted(kept) == kept
    assert points[:50] == thinned(points[:50], 100)


def test_numbers_are_short() -> None:
    assert ["0", "0.25", "1,200", "1.2e-5", "2.5e6"] == [number(x) for x in (0, 0.25, 1200, 1.2e-5, 2.5e6)]


def test_a_line_chart_says_what_it_shows() -> None:
    losses = Series(name="<b>loss", points=((1, 2.0), (2, 1.0)), dots=True)
    drawn = line_chart([losses, Series(name="none", points=())], 'Loss "by" step')

    assert 'role="img" aria-label="Loss &quot;by&quot; step"' in drawn
    assert "&lt;b&gt;loss, 2: 1" in drawn
    assert (1, 2, 0) == (drawn.count("<path"), drawn.count("<circle"), drawn.count("<b>"))
    assert "" == line_chart([Series(name="none", points=())], "nothing")


def test_the_table_of_lines_has_a_row_for_each_step_and_a_gap_where_nothing_was_measured() -> None:
    training = Series(name="training", points=((1, 2.0), (2, 1.23456), (1000, 0.5)))
    validation = Series(name="validation", points=((2, 1.5),))

    assert {
        "title": "numbers",
        "header": ("step", "training", "validation"),
        "rows": [("1", "2", ""), ("2", "1.235", "1.5"), ("1,000", "0.5", "")],
    } == line_table([training, Series(name="none", points=()), validation])


def test_a_long_table_is_thinned_evenly_between_its_first_and_last_step_and_says_so() -> None:
    points = tuple((float(step), 1.0) for step in range(1, 1_001))
    table = line_table([Series(name="training", points=points)], limit=4)

    assert {
        "title": "numbers: 4 of 1,000 steps, evenly spaced",
        "header": ("step", "training"),
        "rows": [("1", "1"), ("334", "1"), ("667", "1"), ("1,000", "1")],
    } == table
    assert 100 == len(line_table([Series(name="training", points=points)])["rows"])
    assert "numbers" == line_table([Series(name="training", points=points[:100])])["title"]


def test_bars_and_intervals_stay_in_their_frame() -> None:
    bars = bar_chart([Bar(label="0–9", count=3), Bar(label="10–19", count=0)], "Lengths", "characters")
    interval = interval_chart(0.5, 0.25, 0.75, (0.0, 1.0), "half")

    assert "<title>0–9: 3</title>" in bars
    assert 'height="0.0"' in bars
    assert 'cx="88.0"' in interval
