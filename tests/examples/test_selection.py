"""Samples, limits, weights and joins: a record's own key decides, never the records around it."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InvalidInputError
from runner.examples import joining
from runner.examples.joining import load_index
from runner.examples.selection import fraction, n_copies
from runner.recipe.model import Join, Source
from tests.examples.conftest import MakeSetting, Setting

DATA = [{"id": n, "title": f"T{n}"} for n in range(1_000)]
TOPICS = "id,name\n1,가\n2,나\n"


def ids(setting: MakeSetting, source: dict[str, Any], data: Any = DATA) -> list[int]:
    made = setting(data=data, key="id", sources=[{"path": "data.json", **source}])
    return [int(text.removeprefix("T")) for text in made.texts()]


def joined(setting: MakeSetting, data: Any, topics: str = TOPICS, **join: Any) -> Setting:
    return setting(
        data=data,
        files={"topics.csv": topics},
        key="id",
        fields={"title": "title", "topic": {"path": "topics.name", "default": "-"}},
        template={"messages": [{"role": "user", "content": "{{ title }} {{ topic }}"}]},
        sources=[
            {"name": "topics", "path": "topics.csv"},
            {"path": "data.json", "join": {"source": "topics", "on": "topic", "key": "id", **join}},
        ],
    )


def test_a_limit_stops_reading(setting: MakeSetting) -> None:
    assert list(range(7)) == ids(setting, {"limit": 7})
    assert [0] == ids(setting, {"limit": 1}, data=[{"id": 0, "title": "T0"}, "not a record"])


def test_a_sample_is_a_share_that_a_seed_draws(setting: MakeSetting) -> None:
    first = ids(setting, {"sample": {"share": 0.1}})
    second = ids(setting, {"sample": {"share": 0.1, "seed": 1}})

    assert 70 < len(first) < 130
    assert first != second
    assert set(first) < set(ids(setting, {"sample": {"share": 0.5}}))
    assert first[:5] == ids(setting, {"sample": {"share": 0.1}, "limit": 5})
    assert list(range(1_000)) == ids(setting, {"sample": {"share": 1}})


def test_other_records_do_not_move_a_sample(setting: MakeSetting) -> None:
    few = ids(setting, {"sample": {"share": 0.2}}, data=DATA[300:500])
    many = ids(setting, {"sample": {"share": 0.2}})

    assert few == [n for n in many if 300 <= n < 500]


def test_a_sample_without_a_key_follows_the_content(setting: MakeSetting) -> None:
    source = {"path": "data.json", "sample": {"share": 0.2}}
    once = setting(data=DATA, sources=[source]).texts()

    assert 150 < len(once) < 250
    assert set(once) == set(setting(data=DATA[::-1], sources=[source]).texts())


def test_the_sample_is_independent_of_the_split(setting: MakeSetting) -> None:
    """Both draw by key and seed; drawn alike, a small sample would all be validation."""
    from runner.dataset.split import side_of
    from runner.recipe.model import Split

    kept = ids(setting, {"sample": {"share": 0.2}})
    n_validation = sum(side_of(str(n), Split(validation=0.2)) == "validation" for n in kept)

    assert 20 < n_validation < 65


def test_a_weight_repeats_records(setting: MakeSetting) -> None:
    made = setting(data=DATA[:2], key="id", sources=[{"path": "data.json", "weight": 3}])

    assert [
        ("0", "", "T0"),
        ("0", "#2", "T0"),
        ("0", "#3", "T0"),
        ("1", "", "T1"),
        ("1", "#2", "T1"),
        ("1", "#3", "T1"),
    ] == [(item.key, item.variant, item.messages[0].content) for item in made.items()]  # type: ignore[union-attr]
    assert [False, True, True] * 2 == [item.is_copy for item in made.items()]  # type: ignore[union-attr]


def test_copies_keep_the_name_of_their_variant(setting: MakeSetting) -> None:
    variants = [
        {"name": name, "messages": [{"role": "user", "content": "{{ title }}"}]} for name in ("a", "b")
    ]
    made = setting(
        data=DATA[:1],
        key="id",
        template=None,
        templates=variants,
        sources=[{"path": "data.json", "weight": 2}],
    )

    assert ["a", "a#2", "b", "b#2"] == [item.variant for item in made.items()]  # type: ignore[union-attr]


def test_a_fraction_of_a_weight_is_drawn_by_key(setting: MakeSetting) -> None:
    half = ids(setting, {"weight": 0.5})
    more = ids(setting, {"weight": 1.5})

    assert 430 < len(half) < 570
    assert sorted(half + list(range(1_000))) == sorted(more)


@given(weight=st.floats(0.01, 100), identity=st.text(max_size=5))
def test_copies_are_the_weight_rounded_down_or_up(weight: float, identity: str) -> None:
    assert n_copies(weight, identity) in (math.floor(weight), math.ceil(weight))
    assert n_copies(float(math.ceil(weight)), identity) == math.ceil(weight)


@given(seed=st.integers(0, 9), identity=st.text(max_size=5))
def test_a_fraction_is_never_one(seed: int, identity: str) -> None:
    assert 0 <= fraction("sample", seed, identity) < 1


def test_a_join_puts_the_other_record_under_its_name(setting: MakeSetting) -> None:
    data = [
        {"id": "a", "title": "A", "topic": 2},
        {"id": "b", "title": "B", "topic": "1"},
        {"id": "c", "title": "C", "topic": 3},
        {"id": "d", "title": "D", "topic": None},
    ]

    assert ["A 나", "B 가", "C -", "D -"] == joined(setting, data).texts()
    assert ["A 나", "B 가"] == joined(setting, data, how="inner").texts()


def test_keys_of_a_joined_source_have_to_be_unique_and_there(setting: MakeSetting) -> None:
    topics = "id,name\n1,가\n,나\n1,다\n"

    assert [
        "topics.csv: row 2: join key: found '' at 'id', expected text, an integer, true or false. "
        "Choose a key that identifies the record.",
        "topics.csv: row 3: join key: found '1' again, expected each key once. It first stands in row 1. "
        "Remove one, or choose another `key`.",
    ] == joined(setting, [{"id": 1, "title": "A", "topic": 1}], topics).texts()


def test_a_join_that_finds_nothing_at_all_is_a_mistake(setting: MakeSetting) -> None:
    data = [{"id": 1, "title": "A", "topic": "t-1"}, {"id": 2, "title": "B", "topic": "t-2"}]

    assert [
        "A -",
        "B -",
        "data.json: row 1: join: found no record of 'topics' for 't-1', nor for any other record; "
        "its first key is '1'. Correct `on` or `key`.",
    ] == joined(setting, data).texts()


def test_a_column_with_the_name_of_the_source_is_not_replaced(setting: MakeSetting) -> None:
    data = [{"id": 1, "title": "A", "topic": 1, "topics": []}]

    assert [
        "data.json: row 1: join: found a column 'topics' already, expected none. Rename the source."
    ] == joined(setting, data).texts()


def test_too_many_records_to_join_are_refused(setting: MakeSetting) -> None:
    topics = "id,name\n" + "".join(f"{n},{'x' * 1_000}\n" for n in range(2_000))
    made = setting(files={"topics.csv": topics})
    join = Join(source="topics", on="id")

    with pytest.raises(InvalidInputError) as error:
        load_index(join, Source(path="topics.csv"), made.folder, made.project, max_bytes=1 << 20)

    assert (
        "topics.csv: row 857: found more than 1 MiB of records to join, expected less. "
        "Leave columns out of it, or write a `query` over both sources." == str(error.value)
    )
    assert 2_000 == len(load_index(join, Source(path="topics.csv"), made.folder, made.project))
    assert joining.MAX_INDEX_BYTES == 256 << 20
