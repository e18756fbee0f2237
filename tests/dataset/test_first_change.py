"""The first example that differs between two datasets, and the first thing in it."""

from pathlib import Path
from typing import Any

import pytest

from runner.dataset.first_change import (
    FirstChange,
    Line,
    example_at,
    first_change,
    first_changed_line,
    first_difference,
    identity_at,
)

Rows = list[tuple[str, str, str]]
BASE: Rows = [
    ("a", "1", "training"),
    ("b", "2", "validation"),
    ("c", "3", "training"),
    ("d", "4", "training"),
]


def index(path: Path, rows: Rows) -> Path:
    path.write_text("".join(" ".join(row) + "\n" for row in rows))
    return path


def change(tmp_path: Path, rows: Rows) -> FirstChange | None:
    return first_change(index(tmp_path / "old", BASE), index(tmp_path / "new", rows))


def test_equal_tables_have_no_change(tmp_path: Path) -> None:
    assert change(tmp_path, BASE) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [*BASE[:2], ("c", "9", "training"), BASE[3]],
            FirstChange(
                change="changed", identity="c", before=Line("training", 2), after=Line("training", 2)
            ),
        ),
        (
            [BASE[0], ("b", "2", "training"), *BASE[2:]],
            FirstChange(
                change="moved", identity="b", before=Line("validation", 1), after=Line("training", 2)
            ),
        ),
        (
            [*BASE[:3], ("x", "7", "validation"), BASE[3]],
            FirstChange(change="added", identity="x", before=None, after=Line("validation", 2)),
        ),
        (
            [*BASE, ("x", "7", "training")],
            FirstChange(change="added", identity="x", before=None, after=Line("training", 4)),
        ),
        (
            [BASE[0], *BASE[2:]],
            FirstChange(change="removed", identity="b", before=Line("validation", 1), after=None),
        ),
        (
            BASE[:3],
            FirstChange(change="removed", identity="d", before=Line("training", 3), after=None),
        ),
        (
            [BASE[2], *BASE[:2], BASE[3]],
            FirstChange(
                change="reordered", identity="c", before=Line("training", 2), after=Line("training", 1)
            ),
        ),
    ],
    ids=["changed", "moved", "added", "added-last", "removed", "removed-last", "reordered"],
)
def test_the_first_change_is_found_with_its_lines(tmp_path: Path, rows: Rows, expected: FirstChange) -> None:
    assert expected == change(tmp_path, rows)


def test_a_line_of_a_side_has_the_identity_of_its_row(tmp_path: Path) -> None:
    path = index(tmp_path / "index", BASE)

    assert ["c", "b", None] == [
        identity_at(path, Line("training", 2)),
        identity_at(path, Line("validation", 1)),
        identity_at(path, Line("validation", 2)),
    ]


def test_the_first_line_that_differs_is_counted_from_one(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("a\nb\nc\n")
    (tmp_path / "new").write_text("a\nB\n")
    (tmp_path / "shorter").write_text("a\n")

    assert [2, 2, None] == [
        first_changed_line(tmp_path / "old", tmp_path / other) for other in ("new", "shorter", "old")
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [('{"a":1}\n{"a":2}\n', {"a": 2}), ('{"a":1}\n', None), ("x\ny\n", None), ("{}\n" + "[" * 9_999, None)],
)
def test_a_line_that_is_no_example_is_none(tmp_path: Path, content: str, expected: Any) -> None:
    (tmp_path / "data").write_text(content)

    assert expected == example_at(tmp_path / "data", 2)


def test_a_line_without_an_end_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.dataset.lines.MAX_LINE_BYTES", 10)
    (tmp_path / "data").write_text('"' + "x" * 100 + '"\n{"a":2}\n')

    assert (None, {"a": 2}) == (example_at(tmp_path / "data", 1), example_at(tmp_path / "data", 2))


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, None),
        (
            {"messages": [message("user", "q"), message("assistant", "a")]},
            {"messages": [message("user", "q"), message("assistant", "b")]},
            (("messages", 1, "content"), "a", "b"),
        ),
        (
            {"messages": [message("user", "q")]},
            {"messages": [message("user", "q"), message("assistant", "b")]},
            (("messages", 1), None, message("assistant", "b")),
        ),
        ({"a": 1, "weight": 0}, {"a": 1}, (("weight",), 0, None)),
        ([1], {"a": 1}, ((), [1], {"a": 1})),
    ],
)
def test_the_first_value_that_differs_is_found(before: Any, after: Any, expected: Any) -> None:
    assert expected == first_difference(before, after)
