"""Drift is named down to the record and the message that differ."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

Row = dict[str, Any]
PREFIX = "faq.lock.yaml: dataset: "


@pytest.fixture
def locked(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A recipe after its run, named as it would be typed."""
    recipe.write_text(recipe.read_text().replace("training:", "split:\n  validation: 0.15\ntraining:"))
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


def edit(change: Callable[[list[Row]], list[Row]]) -> None:
    """Change the records of the source."""
    path = Path("faq.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in change(rows)))


def record_line(call: Call, recipe: Path) -> str:
    """What `verify` says of the first record."""
    outcome = call("verify", recipe)
    assert 6 == outcome.code
    lines = [
        line for line in outcome.out.splitlines() if line.startswith(PREFIX) and "other bytes" not in line
    ]
    assert 1 == len(lines)
    return lines[0].removeprefix(PREFIX)


def with_answer(number: int, answer: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row | {"answer": answer} if row["id"] == number else row for row in rows]


def test_a_changed_message_is_quoted(call: Call, locked: Path) -> None:
    edit(with_answer(5, "It is five."))

    assert (
        'record id=5 (faq.jsonl, row 6): message 2 (assistant): "It is number 5." → "It is five."'
    ) == record_line(call, locked)


def test_locked_names_the_stage_and_the_record(call: Call, locked: Path, hosted: FakeHost) -> None:
    edit(with_answer(5, "It is five."))
    planned = call("plan", locked, "--locked")

    assert (
        6,
        "error: faq.lock.yaml is stale: source: faq.jsonl has other bytes; dataset: record id=5 (faq.jsonl, "
        'row 6): message 2 (assistant): "It is number 5." → "It is five." (and 1 more). '
        "`finetune run faq.yaml` without --locked brings it up to date.\n",
    ) == (planned.code, planned.err)
    assert planned.err == call("run", locked, "--locked", "--yes").err


def test_a_new_record_is_named(call: Call, locked: Path) -> None:
    edit(lambda rows: [*rows[:2], {"id": "x", "question": "New?", "answer": "Yes."}, *rows[2:]])

    assert "record id=x (faq.jsonl, row 3): is new" == record_line(call, locked)


def test_a_record_that_is_gone_is_known_by_how_it_began(call: Call, locked: Path) -> None:
    edit(lambda rows: [row for row in rows if row["id"] != 0])

    assert (
        'the record of line 1 of the training file: is gone; it began with user: "What is 0?"'
        == record_line(call, locked)
    )


def test_records_in_another_order_are_named(call: Call, locked: Path) -> None:
    edit(lambda rows: list(reversed(rows)))
    line = record_line(call, locked)

    assert line == (
        "record id=11 (faq.jsonl, row 1): stands elsewhere: line 1 of the training file, was line 11 of the "
        "training file"
    )


def test_a_record_on_the_other_side_is_named(call: Call, locked: Path) -> None:
    locked.write_text(locked.read_text().replace("validation: 0.15", "validation: 0.4"))
    line = record_line(call, locked)

    assert ": is on the other side of the split: line 1 of the validation file, was line " in line


def test_a_long_message_is_shown_from_where_it_differs(call: Call, recipe: Path, hosted: FakeHost) -> None:
    start = "The beginning that both of them have is rather long, "
    edit(with_answer(0, f"{start}and then it was this. {'x' * 200}"))
    call("run", recipe, "--yes")
    edit(with_answer(0, f"{start}and then it was that. {'x' * 200}"))

    assert (
        "record id=0 (faq.jsonl, row 1): message 2 (assistant): "
        f'"…, and then it was this. {"x" * 35}…" → "…, and then it was that. {"x" * 35}…"'
    ) == record_line(call, Path(recipe.name))


def test_what_a_record_holds_cannot_drive_the_terminal(call: Call, locked: Path) -> None:
    edit(with_answer(5, "\x1b[2J\n\u202eevil"))
    outcome = call("verify", locked)

    assert "\x1b" not in outcome.out and "\u202e" not in outcome.out
    assert '→ "\\x1b[2J\\n\\u202eevil"' in outcome.out


def test_without_the_locked_dataset_it_says_so(call: Call, locked: Path) -> None:
    edit(with_answer(5, "It is five."))
    shutil.rmtree(".finetune/datasets")

    assert (
        "no record can be named: the locked dataset is not on this machine. "
        "`finetune diff faq.yaml` compares with the last commit."
    ) == record_line(call, locked)


def test_without_the_index_the_line_is_compared(call: Call, locked: Path) -> None:
    edit(with_answer(5, "It is five."))
    for path in Path(".finetune/datasets").glob("*.index"):
        path.unlink()

    assert (
        'record id=5 (faq.jsonl, row 6): message 2 (assistant): "It is number 5." → "It is five."'
    ) == record_line(call, locked)


def test_without_the_locked_file_the_record_is_named_all_the_same(call: Call, locked: Path) -> None:
    edit(with_answer(5, "It is five."))
    for path in Path(".finetune/datasets").glob("*.jsonl"):
        path.unlink()

    assert (
        "record id=5 (faq.jsonl, row 6): has another text; the one before is not on this machine"
        == record_line(call, locked)
    )


def test_a_locked_file_that_was_tampered_with_is_not_quoted(call: Call, locked: Path) -> None:
    edit(with_answer(5, "It is five."))
    for path in Path(".finetune/datasets").glob("*.jsonl"):
        path.write_bytes(path.read_bytes().replace(b"It is", b"it is"))

    assert "has another text; the one before is not on this machine" in record_line(call, locked)


def test_a_record_without_a_key_is_named_by_its_row(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text().replace("key: id\n", ""))
    call("run", recipe, "--yes")
    edit(with_answer(5, "It is five."))

    assert "record (faq.jsonl, row 6): is new" == record_line(call, Path(recipe.name))
