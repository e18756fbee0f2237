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


def test_an_answer_cannot_drive_a_terminal(trained: Path, data: Path, hosted: FakeHost, call: Call) -> None:
    hosted.answer = lambda model, messages: "\x1b[2J\x9b31m\u202e"
    found = call("predict", data, trained, *PAID)

    assert ["\x1b[2J\x9b31m\u202e"] * 2 == [each["answer"] for each in lines(found.out)]
    assert 2 == found.out.count(r'"answer": "\u001b[2J\u009b31m\u202e"')


def test_an_alias_can_be_asked(trained: Path, data: Path, call: Call) -> None:
    assert 0 == call("promote", "production", trained).code
    found = call("predict", data, trained, "--model", "production", *PAID)

    assert [answered(1, "환불은?"), answered(2, "Where?")] == lines(found.out)


def test_a_name_that_is_no_alias_is_the_providers_to_refuse(
    trained: Path, data: Path, hosted: FakeHost, call: Call
) -> None:
    """The words are those of `chat`."""
    hosted.answer = lambda model, _: f"404 the model {model} does not exist"
    said = "fake: the model prodution does not exist"
    asked = call("chat", "prodution", "hello", "--provider", "fake")
    found = call("predict", data, trained, "--model", "prodution", *PAID)

    assert (1, f"error: {said}\n") == (asked.code, asked.err)
    assert (1, [said, said]) == (found.code, [each["failure"] for each in lines(found.out)])


def test_a_record_without_an_answer_exits_with_1(
    trained: Path, data: Path, hosted: FakeHost, call: Call
) -> None:
    hosted.answer = lambda model, messages: "400 no" if messages[-1]["content"] == "Where?" else "yes"

    found = call("predict", data, trained, *PAID)

    assert 1 == found.code
    assert [("yes", None), (None, "fake answered HTTP 400: no")] == [
        (line["answer"], line["failure"]) for line in lines(found.out)
    ]
    assert found.err.endswith("1 record has no answer; its line says why.\n")


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


SEEN = {
    "role": "user",
    "content": [
        {"type": "text", "text": "이 밸브는?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/valve.png"}},
    ],
}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call-1", "type": "function", "function": {"name": "find", "arguments": '{"part": "밸브"}'}}
WITH_TOOLS = """\
version: 1
name: faq
sources: [{path: faq.jsonl}]
key: id
template: {from: openai}
split: {validation: 0.3}
training: {provider: fake, model: base-1, hyperparameters: {n_epochs: 2}}
evaluation: {graders: [{type: string_check, operation: eq}]}
"""


@pytest.fixture
def with_tools(recipe: Path) -> Path:
    recipe.write_text(WITH_TOOLS)
    answer = {"role": "assistant", "tool_calls": [CALL]}
    lines = [
        {"id": n, "messages": [{"role": "user", "content": f"{n}?"}, answer], "tools": [TOOL]}
        for n in range(40)
    ]
    recipe.with_name("faq.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return recipe


def test_images_tools_and_their_calls_go_along_and_come_back(
    with_tools: Path, data: Path, hosted: FakeHost, call: Call
) -> None:
    data.write_text(json.dumps({"messages": [SEEN], "tools": [TOOL], "parallel_tool_calls": False}) + "\n")
    hosted.tool_calls = [CALL]
    # A base model has a price, and an image has none.
    asked = ("predict", data, with_tools, "--model", "base-priceless", "--yes")

    assert 8 == call(*asked).code
    found = call(*asked, "--allow-unknown-price")

    assert 0 == found.code
    [question] = hosted.questions
    assert ([SEEN], [TOOL], False) == (
        question["messages"],
        question["tools"],
        question["parallel_tool_calls"],
    )
    [line] = lines(found.out)
    assert ('[find({"part": "밸브"})]', [CALL]) == (line["answer"], line["tool_calls"])


def test_an_evaluation_sends_tools_and_compares_calls(with_tools: Path, hosted: FakeHost, call: Call) -> None:
    assert 0 == call("run", with_tools, "--yes", "--allow-unknown-price").code
    hosted.tool_calls = [CALL]

    found = call("eval", with_tools, "--no-leaks", *PAID)

    assert 0 == found.code
    assert all(question["tools"] == [TOOL] for question in hosted.questions)
    assert ["tuned", "1.000"] == next(row for row in found.out.splitlines() if "tuned" in row).split()[:2]
