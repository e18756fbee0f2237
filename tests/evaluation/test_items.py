"""Questions of an evaluation, from examples of every kind."""

from typing import Any

from runner.evaluation.items import item_of, set_sha256
from runner.examples.read import Example, Message

USER = Message("user", "2 + 3?")


def example(*messages: Message, line: dict[str, Any] | None = None, **values: Any) -> Example:
    return Example(
        key="k", group=None, variant="", messages=messages, file="f", row=1, line=line, fields=values
    )


def test_the_answer_is_what_to_compare_with() -> None:
    item = item_of(example(USER, Message("assistant", "5"), topic="sums"))

    assert item is not None
    assert ((USER,), {"topic": "sums", "reference": "5"}) == (item.prompt, item.values)


def test_a_task_brings_its_item() -> None:
    line = {"messages": [{"role": "user", "content": "2 + 3?"}], "answer": 5, "reference": "five"}
    item = item_of(example(USER, line=line, topic="sums"))

    assert item is not None
    assert ((USER,), {"topic": "sums", "answer": 5, "reference": "five"}) == (item.prompt, item.values)


def test_of_a_pair_the_better_answer_is_compared_with() -> None:
    line = {
        "input": {"messages": [{"role": "user", "content": "2 + 3?"}]},
        "preferred_output": [{"role": "assistant", "content": "Five."}],
        "non_preferred_output": [{"role": "assistant", "content": "6"}],
    }
    item = item_of(example(USER, Message("assistant", "Five."), line=line))

    assert item is not None
    assert ((USER,), "Five.") == (item.prompt, item.reference)


def test_what_asks_nothing_is_no_question() -> None:
    assert item_of(example(USER)) is None
    assert item_of(example(Message("assistant", "5"))) is None


def test_a_question_is_sent_with_its_image_and_tools_and_is_another_one_without() -> None:
    asked = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.test/a.png"}}]}
    line = {"messages": [asked, {"role": "assistant", "content": "5"}], "tools": [{"type": "function"}]}
    turns = (Message("user", "[image]"), Message("assistant", "5"))
    rich, plain = item_of(example(*turns, line=line)), item_of(example(*turns))

    assert rich is not None
    assert plain is not None
    assert ((asked,), {"tools": [{"type": "function"}]}) == (rich.sent, rich.beside)
    assert ({"role": "user", "content": "[image]"},) == plain.sent
    assert set_sha256([rich]) != set_sha256([plain])
