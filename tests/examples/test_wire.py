"""What goes through a pipe comes out the same."""

import os
import tempfile
from dataclasses import asdict

from runner.examples.read import Example, Message
from runner.examples.wire import (
    Bounds,
    Phase,
    Position,
    Request,
    decode_item,
    decode_request,
    encode_item,
    encode_request,
    recipe_from_dict,
)
from runner.issues import Issue, Place, Severity
from runner.recipe.parse import parse_recipe
from runner.sources.base import Record
from tests.examples.conftest import DEFAULTS, MakeSetting

FULL = DEFAULTS | {
    "description": "설명",
    "key": "id",
    "where": "title != ''",
    "fields": {
        "title": {"path": "t[]", "default": [1, {"a": None}], "join": "\n", "trim": True},
        "chat": "c",
    },
    "template": {
        "messages": [
            {"role": "system", "content": "x"},
            {"role": "user", "content_file": "a.j2"},
            {"from": "chat", "roles": {"b": "assistant", "a": "user"}},
        ]
    },
    "split": {"validation": 0.5, "group_by": "title", "seed": 3},
    "training": {
        "model": "m",
        "hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": 0.5},
        "seed": 1,
    },
    "limits": {"max_cost_usd": 2.5},
    "checks": {
        "levels": {"FT108": "error", "FT112": "off"},
        "ignore": [
            {"code": "FT303", "where": "title == 'b'", "reason": "공개"},
            {"code": "FT304", "records": ["1", "2"], "reason": "public"},
        ],
        "json_answers": True,
        "baseline": "faq.baseline.json",
    },
    "tests": [
        {"name": "a", "record": {"t": [1]}, "expect": {"skipped": True}},
        {"name": "b", "key": "1", "expect": {"messages": [{"role": "user", "content": "x"}]}},
        {"name": "c", "record": {}, "variant": "v", "expect": {"error": "none"}},
    ],
}


def test_a_request_survives(setting: MakeSetting) -> None:
    made = setting(
        **{key: value for key, value in FULL.items() if key not in DEFAULTS or value != DEFAULTS[key]}
    )
    request = Request(
        recipe=made.recipe,
        folder=made.folder,
        project=made.project,
        bounds=Bounds(memory_bytes=5, record_s=0.5),
        records=(Record({"t": ["가"]}, "recipe.yaml", 1),),
    )

    assert request == decode_request(encode_request(request))


def test_a_default_of_null_is_not_the_same_as_none() -> None:
    recipe = parse_recipe(DEFAULTS | {"fields": {"a": {"path": "a", "default": None}, "b": "b"}})

    assert recipe == recipe_from_dict(asdict(recipe))


def test_items_survive() -> None:
    items = [
        Example(
            key="a\n\u2028키\0",
            group=None,
            variant="v",
            messages=(Message("user", "x\u2028\ny\0"), Message("assistant", "")),
            file="데이터.json",
            row=3,
        ),
        Example(
            key="b",
            group="g",
            variant="",
            messages=(Message("user", "x"),),
            file="b.json",
            row=1,
            line={"messages": [{"role": "user", "content": "x", "name": "a"}], "tools": [{"a": [1.5, None]}]},
        ),
        Issue(place=Place(file="a\udc80.json", row=4), message="found …", path="$.a", code="FT1"),
        Issue(place=Place(file="a", line=1, column=2), message="x", severity=Severity.WARNING),
    ]

    lines = [encode_item(item) for item in items]

    assert items == [decode_item(line) for line in lines]
    assert [1, 1, 1, 1] == [line.count(b"\n") for line in lines]


def test_both_sides_see_the_position() -> None:
    with tempfile.TemporaryFile() as shared:
        os.ftruncate(shared.fileno(), Position.SIZE_BYTES)
        writer, reader = Position(shared.fileno()), Position(shared.fileno())
        seen = [reader.read()]
        for what in (
            None,
            "데이터.json",
            Record({}, "데이터.json", 1),
            Record({}, "b.json", 2**40),
            None,
            "c",
        ):
            writer.note(what)
            seen.append(reader.read())
        writer.close()
        reader.close()

    assert [
        (Phase.STARTING, None),
        (Phase.READING, None),
        (Phase.READING, Place(file="데이터.json")),
        (Phase.WORKING, Place(file="데이터.json", row=1)),
        (Phase.WORKING, Place(file="b.json", row=2**40)),
        (Phase.READING, Place(file="b.json", row=2**40)),
        (Phase.READING, Place(file="c")),
    ] == seen


def test_a_file_name_of_any_length_fits() -> None:
    with tempfile.TemporaryFile() as shared:
        os.ftruncate(shared.fileno(), Position.SIZE_BYTES)
        position = Position(shared.fileno())
        position.note(Record({}, "가" * 3_000, 1))
        phase, place = position.read()
        position.close()

    assert Phase.WORKING is phase
    assert place is not None
    assert place.file.startswith("가" * 1_300)
