"""Recipes as YAML that reads back as the same value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.recipe.origins import Rendered
from runner.recipe.yaml import parse_yaml
from runner.report.recipe_text import recipe_with_origins, recipe_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def rendered(value: dict[str, Any], origin: str = "x.yaml:1") -> Rendered:
    plain = Rendered(value=value, origins={})
    return Rendered(value=value, origins={keys: origin for keys, _ in plain.leaves()})


def read(text: str) -> Any:
    document, issues = parse_yaml(text.encode(), "x.yaml")
    assert [] == issues
    assert document is not None
    return document.value


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    assert value == read(recipe_yaml(rendered(value)))
    assert value == read(recipe_with_origins(rendered(value, "a\n# \x1b.yaml:1")))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words", "plain words"),
        ("제목", "제목"),
        ("../data/x.csv", "../data/x.csv"),
        ("3", '"3"'),
        ("true", '"true"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("\x1b[2J\u202e", '"\\u001b[2J\\u202e"'),
        ("one\ntwo", "|-\n  one\n  two"),
        ("one\n\ntwo\n", "|\n  one\n\n  two"),
        (" one\ntwo", '" one\\ntwo"'),
        ("one \ntwo", '"one \\ntwo"'),
        ("\n", '"\\n"'),
    ],
)
def test_texts_are_quoted_only_where_needed(text: str, written: str) -> None:
    assert f"key: {written}" == recipe_yaml(rendered({"key": text}))


def test_origins_are_aligned_by_what_a_terminal_shows() -> None:
    """A Korean syllable takes two columns; a long line does not push the others away."""
    value = {"a": "제목", "b": {"c": [1, {"d": "x\ny"}]}, "long": "w" * 70, "none": []}

    assert [
        "a: 제목      # x.yaml:1",
        "b:",
        "  c:",
        "    - 1      # x.yaml:1",
        "    - d: |-  # x.yaml:1",
        "        x",
        "        y",
        f"long: {'w' * 70}  # x.yaml:1",
        "none: []     # x.yaml:1",
    ] == recipe_with_origins(rendered(value)).splitlines()
