"""Answers about new records, in the words of the training."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

PAID = ("--yes", "--allow-unknown-price")


@pytest.fixture
def trained(recipe: Path, hosted: FakeHost, call: Call) -> Path:
    assert 0 == call("run", recipe, "--yes").code
    hosted.answer = lambda model, messages: f"{model}: {messages[-1]['content']}"
    return recipe


@pytest.fixture
def data(recipe: Path) -> Path:
    path = recipe.with_name("new.jsonl")
    path.write_text('{"question": "환불은?"}\n{"question": "Where?"}\n')
    return path


def lines(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


def answered(row: int, question: str, model: str = "ft:base-1:org::1") -> dict[str, Any]:
    return {
        "file": "new.jsonl",
        "row": row,
        "messages": [{"role": "user", "content": question}],
        "answer": f"{model}: {question}",
        "failure": None,
        "finish_reason": "stop",
    }


def test_every_record_is_asked_without_its_answer(trained: Path, data: Path, call: Call) -> None:
    found = call("predict", data, trained, *PAID)

    assert 0 == found.code
    assert [answered(1, "환불은?"), answered(2, "Where?")] == lines(found.out)


def test_another_model_can_be_asked(trained: Path, data: Path, call: Call) -> None:
    found = call("predict", data, trained, "--model", "base-1", *PAID)

    assert [answered(1, "환불은?", "base-1"), answered(2, "Where?", "base-1")] == lines(found.out)


def test_a_record_without_an_answer_exits_with_1(
    trained: Path, data: Path, hosted: FakeHost, call: Call
) -> None:
    hosted.answer = lambda model, messages: "400 no" if messages[-1]["content"] == "Where?" else "yes"

    found = call("predict", data, trained, *PAID)

    assert 1 == found.code
    assert [("yes", None), (None, "fake answered HTTP 400: no")] == [
        (line["answer"], line["failure"]) for line in lines(found.out)
    ]
    assert found.err.endswith("1 records have no answer; their lines say why.\n")


def test_a_template_that_changed_since_the_training_is_told(trained: Path, data: Path, call: Call) -> None:
    trained.write_text(trained.read_text().replace('"{{ question }}"', '"Q: {{ question }}"'))

    found = call("predict", data, trained, *PAID)

    assert 0 == found.code
    assert (
        "warning: `templates` changed since the model was trained, so it is asked in other words than it "
        "learned. `finetune plan" in found.err
    )


def test_a_missing_file_and_a_missing_field_say_so(trained: Path, data: Path, call: Call) -> None:
    data.write_text('{"text": "환불은?"}\n')

    found = call("predict", data, trained, *PAID)

    assert 1 == found.code
    assert "new.jsonl: row 1" in found.err
    assert "question" in found.err


def test_a_recipe_that_was_not_run_says_so(recipe: Path, data: Path, hosted: FakeHost, call: Call) -> None:
    found = call("predict", data, recipe, *PAID)

    assert 1 == found.code
    assert (
        f"error: there is no tuned model under the profile 'default' yet. `finetune run {recipe}` makes one; "
        "--model asks another.\n" == found.err
    )
