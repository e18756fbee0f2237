"""A JSON text gives the same values wherever it is cut into pieces."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InvalidInputError
from runner.sources.json_stream import JsonStream

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def stream_of(text: str, chunk_characters: int = 1, max_characters: int = 1_000_000) -> JsonStream:
    return JsonStream(
        io.StringIO(text, newline=""),
        "a.json",
        chunk_characters=chunk_characters,
        max_characters=max_characters,
    )


@given(items=st.lists(values, max_size=5), chunk=st.integers(1, 30), indent=st.sampled_from([None, 1]))
def test_elements_survive_any_chunk_size(items: list[Any], chunk: int, indent: int | None) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    stream = stream_of(text, chunk)

    assert json.loads(text) == [stream.value() for _ in stream.elements()]
    assert "" == stream.peek()


@given(entries=st.dictionaries(st.text(), values, max_size=5), chunk=st.integers(1, 30))
def test_entries_survive_any_chunk_size(entries: dict[str, Any], chunk: int) -> None:
    text = json.dumps(entries, ensure_ascii=True)
    stream = stream_of(text, chunk)

    assert json.loads(text) == {key: stream.value() for key in stream.entries()}


@pytest.mark.parametrize("chunk", [1, 2, 7, 1_000])
def test_a_position_does_not_depend_on_the_chunks(chunk: int) -> None:
    stream = stream_of('{\n "a": [1, 2],\n "b": [{"x": 1},\n  tru]}', chunk)

    with pytest.raises(InvalidInputError) as error:
        for _ in stream.entries():
            stream.skip()

    assert "a.json:4:3: found 't', expected a value. Repair the JSON." == str(error.value)


def test_a_value_that_never_ends_is_refused_early() -> None:
    stream = stream_of('["' + "x" * 1_000 + '"]', chunk_characters=10, max_characters=100)

    with pytest.raises(InvalidInputError) as error:
        for _ in stream.elements():
            stream.value()

    assert (
        "a.json:1:2: found a value of more than 100 characters, expected a record of text. Split it."
        == str(error.value)
    )


@pytest.mark.parametrize("text", ["[1,]", "[1 2]", "[,]", "[1", '{"a" 1}', "{1: 2}", '{"a": 1,}', "]", "[1}"])
def test_broken_structure_is_refused(text: str) -> None:
    stream = stream_of(text)

    with pytest.raises(InvalidInputError):
        stream.skip()
        if stream.peek():
            raise stream.broken("more")
