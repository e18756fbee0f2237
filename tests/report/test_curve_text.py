"""Curves in characters."""

import pytest

from runner.report.curve_text import curve_lines


def test_a_falling_line_of_stars() -> None:
    assert [
        "       4 |**",
        "         | **",
        "         |  **",
        "         |   **",
        "       0 |    *",
    ] == falling()


def falling() -> list[str]:
    return [line[:15] for line in curve_lines([4.0, 3.0, 2.0, 1.0, 0.0], 18, 5, plain=True)]


def test_braille_has_eight_dots_in_a_cell() -> None:
    lines = curve_lines([float(value) for value in range(16, 0, -1)], 18, 4)

    assert ["      16 │⠙⢦⡀", "         │  ⠙⢦⡀", "         │    ⠙⢦⡀", "       1 │      ⠙⢦"] == lines


@pytest.mark.parametrize("width", [20, 41, 80, 300])
def test_a_curve_stays_in_its_place(width: int) -> None:
    lines = curve_lines([1 / (step + 1) for step in range(10_000)], width, 7)

    assert 7 == len(lines)
    assert width >= max(map(len, lines))


def test_without_room_or_values_there_is_no_curve() -> None:
    assert [] == curve_lines([1.0], 80, 7)
    assert [] == curve_lines([1.0, 2.0], 12, 7)
    assert 7 == len(curve_lines([1.0, 1.0], 80, 7))
