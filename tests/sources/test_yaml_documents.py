"""YAML data: read strictly, piece by piece, with nothing that surprises a reader."""

import io
import itertools
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InvalidInputError
from runner.recipe.model import Source
from runner.sources import yaml_documents
from runner.sources.base import Record

DEEP = "found nesting deeper than 200 levels, expected less. Flatten the record."


def records(text: str, path: str | None = None) -> list[Any]:
    source = Source(path="x", records=path)
    found = []
    for item in yaml_documents.read(io.StringIO(text, newline="\n"), source, "a.yaml"):
        found.append(item.data if isinstance(item, Record) else str(item))
    return found


def problem(text: str, path: str | None = None) -> str:
    with pytest.raises(InvalidInputError) as caught:
        records(text, path)
    return str(caught.value)


BAD_LIST = "a.yaml: row 2: found a list of 1, expected a mapping. Make it one."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# nothing\n---\n---\n", []),
        ("a: 1\n", [{"a": 1}]),
        ("a: 1\n---\na: 2\n...\n---\n- a: 3\n- a: 4\n", [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}]),
        ("- {질문: '둘째\\n', b: [1, 2.5, ~, true]}\n", [{"질문": "둘째\\n", "b": [1, 2.5, None, True]}]),
        (
            "- a: no\n  b: 010\n  c: 2026-03-01\n  d: '.nan'\n",
            [{"a": "no", "b": "010", "c": "2026-03-01", "d": ".nan"}],
        ),
        (
            "- a: -.inf\n",
            [
                "a.yaml: row 1: found -.inf, expected a number. Use null, and give the field a default, "
                "or quote it."
            ],
        ),
        ('- a: "x\\u2028y\\U0001F600"\n', [{"a": "x\u2028y\U0001f600"}]),
        ("- a: |\n    첫 줄\n    둘째 줄\r\n", [{"a": "첫 줄\n둘째 줄\n"}]),
        ("- 3\n- b: 1\n", ["a.yaml: row 1: found 3, expected a mapping. Make it one.", {"b": 1}]),
        ("- [질문, 답]\n- [1]\n", [{"items": ["질문", "답"]}, BAD_LIST]),
        (
            "- {a: 1, a: 2}\n- {b: 1}\n",
            [
                "a.yaml: row 1: found the key 'a' twice in one mapping, expected each key once. Remove one.",
                {"b": 1},
            ],
        ),
        (
            "- a: 1e999\n",
            [
                "a.yaml: row 1: found the number 1e999, expected one that fits a 64-bit float. "
                "Put it in quotes to keep it as text."
            ],
        ),
    ],
)
def test_records(text: str, expected: list[Any]) -> None:
    assert expected == records(text)


def test_records_inside_a_mapping() -> None:
    text = "meta: {a: [1, 2]}\ndata:\n  items:\n  - n: 1\n  - n: 2\nrest: ~\n"

    assert [{"n": 1}, {"n": 2}] == records(text, "data.items")
    assert (
        "a.yaml:1:7: `records`: found no list at 'meta', expected a list of records. Change it."
        == problem(text, "meta")
    )
    assert (
        "a.yaml:7:1: `records`: found no 'dat' at the top, expected the list. Did you mean 'data'? "
        "The mapping has 'meta', 'data', 'rest'." == problem(text, "dat")
    )
    assert (
        "a.yaml:1:1: `records`: found no mapping at the top, expected one with 'data'. Choose another path."
        == problem("- 1\n", "data")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- &x a\n", "a.yaml:1:3: found the anchor `&x`, expected a plain value. Write it out."),
        ("- a: *x\n", "a.yaml:1:6: found the alias `*x`, expected a plain value. Write it out."),
        (
            "- !!python/name:os.system x\n",
            "a.yaml:1:3: found the tag `tag:yaml.org,2002:python/name:os.system`, expected a plain value. "
            "Write it out.",
        ),
        ("- <<: 1\n", "a.yaml:1:3: found a merge key `<<`, expected plain keys. Write the values out."),
        (
            "- ? [a]\n  : 1\n",
            "a.yaml:1:5: found a list or mapping as a key, expected text. Put it in quotes.",
        ),
        (
            "- [1\n- 2",
            "a.yaml:2:4: found broken YAML (expected ',' or ']', but got '<stream end>'), expected a value. "
            "Check quotes and indentation.",
        ),
        (
            "- a: \x01",
            "a.yaml: found the character U+0001, which YAML does not allow, expected visible text. "
            "Remove it, or write it as an escape in quotes.",
        ),
        (
            "- a: 1\n- a: b\u2028c\n",
            "a.yaml:2: found U+2028, a line break that only YAML sees as one, expected visible text. "
            "Write it as an escape in double quotes.",
        ),
        ("[" * 100_000, f"a.yaml:1:203: {DEEP}"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected == problem(text)


def test_a_value_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_documents, "MAX_VALUE_CHARACTERS", 10_000)

    assert (
        "a.yaml:2:3: found a value of more than 10000 characters, expected a record of text. Split it."
        == problem("- a: 1\n- b: " + "x" * 20_000)
    )


def test_records_come_before_the_end_of_the_file_is_read() -> None:
    """A file may be longer than memory."""

    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            return "- {a: 1}\n" * 100

    items = yaml_documents.read(Endless(), Source(path="x"), "a.yaml")

    assert 5_000 == len(list(itertools.islice(items, 5_000)))


# Numbers in YAML 1.2 that the writer, which knows 1.1, leaves without quotes as text: 0E0, 1e5, 0o7.
NUMBER_OF_1_2 = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+|0o[0-7]+")
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: not NUMBER_OF_1_2.fullmatch(text))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("가a_", min_size=1), inner, max_size=3)
    ),
)


@given(
    rows=st.lists(st.dictionaries(st.text("가a_", min_size=1), values, max_size=3), max_size=3),
    flow=st.booleans(),
)
def test_what_a_writer_writes_is_read_back(rows: list[Any], flow: bool) -> None:
    text = yaml.safe_dump(rows, allow_unicode=False, default_flow_style=flow)
    many = yaml.safe_dump_all(rows, allow_unicode=False, explicit_start=True)

    assert rows == records(text)
    assert rows == records(many)
