"""The fast parser gives what the strict decoder gives without a word, or nothing."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.sources.fast_json import parse_list, parse_list_at, parse_objects
from runner.sources.strict_json import MAX_DEPTH, StrictDecoder

spaces = st.sampled_from(["", "", " ", "\t", "\n"])
letters = st.sampled_from(
    ["a", "b", ":", "\\u003a", "\\u003A", "\\\\", '\\"', "\\n", "가", "\\ud83d\\ude00", "\u2028"]
)
strings = st.lists(letters, max_size=3).map(lambda parts: f'"{"".join(parts)}"')
numbers = (
    st.integers().map(str)
    | st.floats().map(repr)
    | st.integers(0, 700).map(lambda digits: "1" + "0" * digits)
    | st.sampled_from(
        ["-0", "1E5", "1e400", "0.1e-7", "18446744073709551616", "NaN", "01", "1.", "-9223372036854775809"]
    )
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
)
scalars = strings | numbers | st.sampled_from(["true", "false", "null", '"\\ud800"', "tru"])


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
    return lists | _objects(inner)


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    entries = st.tuples(strings, spaces, spaces, inner).map(
        lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}{parts[3]}"
    )
    return st.lists(entries, max_size=3).map(lambda items: f"{{{','.join(items)}}}")


objects = _objects(st.recursive(scalars, _containers, max_leaves=6))


def strictly(text: str) -> Any:
    """The value, or None where there is anything to say."""
    decoder = StrictDecoder()
    try:
        value, end = decoder.decode(text, 0)
    except (json.JSONDecodeError, RecursionError):
        return None
    return value if not decoder.problems and end == len(text) else None


@given(text=objects)
@example(text='{"a":1,"a" :2}')
@example(text='{"a":"\\u003a","a":"\\u003a"}')
@example(text='{"a":{"b":1},"a":2}')
@example(text='{"a":' + "1" * 641 + "}")
@example(text='{"a":[' + "1" * 641 + "," + "2" * 64 + "]}")
def test_what_is_parsed_is_beyond_doubt(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    listed, wanted = b"[" + content + b"]", [strictly(text)]

    for parsed in (
        parse_objects([content], content),
        parse_list(listed),
        parse_list_at(b'{"x":' + listed + b"}", ("x",)),
    ):
        assert parsed is None or repr(wanted) == repr(parsed)


@pytest.mark.parametrize(
    "text",
    [
        '{"url": "https://a.b/c?d=1", "n": 1.5, "tags": ["x", {"y": [1, null, true]}]}',
        '{"제목":"값","a":18446744073709551616,"b":-0.0}',
        json.dumps({"a": "줄\n바꿈 \u2028 😀"}),
    ],
)
def test_ordinary_records_are_parsed(text: str) -> None:
    content = text.encode()

    assert [json.loads(text)] == parse_objects([content], content) == parse_list(b"[" + content + b"]")


@pytest.mark.parametrize("depth", [7, MAX_DEPTH, MAX_DEPTH + 1, 5_000])
def test_what_is_nested_deeply_is_left_to_the_strict_decoder(depth: int) -> None:
    content = b'{"a":' + b"[" * depth + b"]" * depth + b"}"

    assert parse_objects([content], content) is None


@pytest.mark.parametrize(
    "content", [b'{"a":"\xff"}', b'{"\xc0\x80":1}', b"[1]", b"", b"\xef\xbb\xbf{}", b"{}{}"]
)
def test_what_is_no_object_in_utf_8_is_left_to_the_strict_decoder(content: bytes) -> None:
    assert parse_objects([content], content) is None
