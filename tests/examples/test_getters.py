"""A getter reads what jmespath reads."""

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.examples.getters import make_getter

keys = st.sampled_from(["a", "b", "제목"])
data = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
steps = st.lists(
    st.sampled_from(['"a"', '"b"', '"제목"', "[0]", "[-1]", "[7]", "[]", "[*]", "@"]), max_size=6
)


def written(parts: list[str]) -> str:
    path = ""
    for part in parts:
        path += part if part.startswith("[") or not path else f".{part}"
    return path or "@"


@given(data=data, parts=steps)
def test_the_same_value_is_found(data: Any, parts: list[str]) -> None:
    try:
        parsed = jmespath.compile(written(parts))
    except jmespath.exceptions.JMESPathError:
        return
    getter = make_getter(parsed.parsed)

    assert getter is not None
    assert parsed.search(data) == getter(data)


@pytest.mark.parametrize("path", ["a || b", "length(a)", "a[?b]", "*", "a[0:2]", "[a, b]", "`1`", "a | b"])
def test_other_expressions_are_left_to_jmespath(path: str) -> None:
    assert make_getter(jmespath.compile(path).parsed) is None
