"""Examples in order, with keys that tell them apart."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.canonical import sha256_of
from runner.examples.read import Example, Message, read_examples
from runner.examples.seen import SeenKeys
from runner.issues import Issue
from runner.sources.base import Record
from tests.examples.conftest import MakeSetting, Setting

VARIANTS = [
    {"name": "ask", "messages": [{"role": "user", "content": "{{ title }}?"}]},
    {"name": "tell", "messages": [{"role": "user", "content": "{{ title }}!"}]},
]


def examples(made: Setting) -> list[Example]:
    items = made.items()
    assert all(isinstance(item, Example) for item in items), items
    return [item for item in items if isinstance(item, Example)]


def test_an_example_knows_where_it_comes_from(setting: MakeSetting) -> None:
    made = setting(
        data=[{"id": 7, "title": "A", "topic": True}],
        key="id",
        fields={"title": "title", "topic": "topic"},
        split={"group_by": "topic"},
        templates=VARIANTS,
    )

    assert [
        Example(
            key="7",
            group="true",
            variant=variant,
            messages=(Message("user", text),),
            file="data.json",
            row=1,
        )
        for variant, text in (("ask", "A?"), ("tell", "A!"))
    ] == examples(made)
    assert ["7\0ask", "7\0tell"] == [example.identity for example in examples(made)]


def test_the_digest_is_of_the_messages_alone(setting: MakeSetting) -> None:
    first, second = examples(setting(data=[{"title": "A", "x": 1}, {"title": "A", "x": 2}]))

    assert first.digest == second.digest == sha256_of([{"role": "user", "content": "A"}])
    assert first.key != second.key


def test_without_a_key_the_content_tells_records_apart(setting: MakeSetting) -> None:
    keys = [
        item.key for item in examples(setting(data=[{"title": "A"}, {"title": "B"}, *[{"title": "A"}] * 3]))
    ]

    assert [keys[0], keys[1], f"{keys[0]}#2", f"{keys[0]}#3", f"{keys[0]}#4"] == keys
    assert keys[0] == sha256_of({"fields": {"title": "A"}, "record": {"title": "A"}})


def test_a_changed_mapping_changes_the_content_key(setting: MakeSetting) -> None:
    data = [{"title": "A", "other": "A"}]

    assert examples(setting(data=data)) != examples(
        setting(data=data, fields={"title": "other", "x": "title"})
    )


def test_where_leaves_records_out_before_their_keys_count(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "draft", "id": 1}, {"title": "A", "id": 1}], key="id", where="title != 'draft'"
    )

    assert [2] == [example.row for example in examples(made)]


def test_an_optional_group_may_be_absent(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "A"}, {"title": "B", "g": 1.5}],
        fields={"title": "title", "g": {"path": "g", "required": False}},
        split={"group_by": "g"},
    )

    assert [None, "1.5"] == [example.group for example in examples(made)]


def test_an_issue_does_not_stop_the_rest(setting: MakeSetting) -> None:
    items = setting(data=[{"title": "A"}, {}, 5, {"title": "B"}]).items()

    assert [1, "issue", 4, "issue"] == ["issue" if isinstance(item, Issue) else item.row for item in items]


def test_reading_stops_after_so_many_issues(setting: MakeSetting) -> None:
    made = setting(data=[{}] * 10)

    assert 3 == len(list(read_examples(made.recipe, made.folder, made.project, max_issues=3)))


def test_templates_that_cannot_be_used_are_issues(setting: MakeSetting) -> None:
    assert ["test: $.where: found the variable 'titel', expected a field. Did you mean 'title'?"] == setting(
        data=[{"title": "A"}], where="titel == 1"
    ).texts()


def test_the_watch_hears_of_every_record(setting: MakeSetting) -> None:
    made = setting(data=[{"title": "A"}, {}])
    heard: list[Record | str | None] = []

    list(read_examples(made.recipe, made.folder, made.project, watch=heard.append))

    first, second = Record({"title": "A"}, "data.json", 1), Record({}, "data.json", 2)
    assert [None, "data.json", first, None, second, None] == heard


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_record_that_needs_too_much_is_an_issue(
    setting: MakeSetting, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("runner.examples.read.map_record", fail)
    what = "memory" if error is MemoryError else "nesting"

    assert [
        f"data.json: row 1: found a record that needs too much {what}, expected less. "
        "Simplify the template or data."
    ] == setting(data=[{"title": "A"}]).texts()


@given(keys=st.lists(st.text(max_size=3), max_size=60), copies=st.integers(1, 40))
def test_seen_keys_behave_like_a_dictionary(keys: list[str], copies: int) -> None:
    seen, model = SeenKeys(), {}

    for number, key in enumerate((f"{key}{copy}" for key in keys for copy in range(copies)), start=1):
        assert model.get(key, 0) == seen.put(key, number)
        model[key] = number


def test_seen_keys_grow() -> None:
    seen = SeenKeys()

    assert Counter({0: 20_000}) == Counter(seen.put(str(number), number) for number in range(1, 20_001))
    assert list(range(1, 20_001)) == [seen.put(str(number), number) for number in range(1, 20_001)]
