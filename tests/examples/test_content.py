"""Lines of training files of every kind: their text, what stands beside it, and what is counted."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.dataset.checks.checker import Examiner, make_setup
from runner.dataset.checks.limits import DatasetLimits
from runner.dataset.measure import measure_line
from runner.dataset.tokens import EstimatedTokens
from runner.examples.content import (
    Rich,
    asked_of,
    content_of_line,
    counted_turns,
    holds_images,
    told_beside,
    turns_of,
)
from runner.recipe.model import Checks

CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "부산"}'}}
TOOL = {"type": "function", "function": {"name": "weather"}}
CHAT = {
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "이건?"}, {"type": "image_url", "image_url": {}}],
        },
        {"role": "assistant", "tool_calls": [CALL], "weight": 0},
        {"role": "assistant", "content": "밸브", "name": "김"},
    ],
    "tools": [TOOL],
}
PAIR = {
    "input": {"messages": [{"role": "user", "content": "되나요?"}]},
    "preferred_output": [{"role": "assistant", "content": "네"}],
    "non_preferred_output": [{"role": "assistant", "content": "응"}],
}
TASK = {"messages": [{"role": "user", "content": "2 + 3?"}], "answer": 5, "also": "five"}


def test_a_line_is_text_for_people() -> None:
    called = '[weather({"city": "부산"})]'

    assert [("user", "이건?\n[image]"), ("assistant", called), ("assistant", "밸브")] == turns_of(
        content_of_line(CHAT)
    )
    assert [("tools", "weather"), ("weight 0", "message 2")] == told_beside(CHAT)
    assert [("user", "되나요?"), ("assistant", "네")] == turns_of(content_of_line(PAIR))
    assert [("worse assistant", "응")] == told_beside(PAIR)
    assert [("item.answer", "5"), ("item.also", "five")] == told_beside(TASK)
    plain = {"messages": [{"role": "user", "content": "가"}]}
    assert [("user", "가")] == content_of_line(plain)
    assert isinstance(content_of_line({"messages": [{"role": "user", "content": "가", "name": "n"}]}), Rich)


def test_a_model_is_asked_with_all_but_what_is_for_training() -> None:
    image, called = {"role": "user", "content": CHAT["messages"][0]["content"]}, {"tool_calls": [CALL]}

    assert ([image, {"role": "assistant", **called}], {"tools": [TOOL]}) == asked_of(content_of_line(CHAT), 2)
    asked = {**PAIR, "input": {**PAIR["input"], "tools": [TOOL], "parallel_tool_calls": False}}
    beside = {"tools": [TOOL], "parallel_tool_calls": False}
    assert ([{"role": "user", "content": "되나요?"}], beside) == asked_of(content_of_line(asked), 1)
    assert (TASK["messages"], {}) == asked_of(content_of_line(TASK), 1)
    assert ([{"role": "user", "content": "가"}], {}) == asked_of([("user", "가"), ("assistant", "나")], 1)
    assert [True, False] == [holds_images(message) for message in CHAT["messages"][::2]]


def test_all_that_costs_tokens_is_counted() -> None:
    """Tools first; a prompt once for each answer."""
    tools = '[{"type": "function", "function": {"name": "weather"}}]'
    called = '[weather({"city": "부산"})]'

    assert [
        [("system", tools), ("user", "이건?\n[image]"), ("assistant", called), ("assistant", "김\n밸브")]
    ] == list(counted_turns(CHAT))
    assert [
        [("user", "되나요?"), ("assistant", "네")],
        [("user", "되나요?"), ("assistant", "응")],
    ] == list(counted_turns(PAIR))


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
ANY = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner)
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "tool", "x"]) | ANY,
        "content": ANY | st.lists(st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url"])})),
        "tool_calls": ANY | st.lists(st.fixed_dictionaries({"function": ANY}), max_size=2),
        "weight": ANY,
        "name": ANY,
    },
)
MESSAGES = ANY | st.lists(MESSAGE, max_size=3)
LINE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "messages": MESSAGES,
        "input": ANY | st.fixed_dictionaries({"messages": MESSAGES}, optional={"tools": ANY}),
        "preferred_output": MESSAGES,
        "non_preferred_output": MESSAGES,
        "tools": ANY,
        "answer": ANY,
    },
)


@given(LINE)
def test_any_line_is_checked_or_refused_with_a_sentence(line: dict[str, Any]) -> None:
    examiner = Examiner(make_setup(DatasetLimits(min_examples=0), 0.0, Checks()))
    try:
        measured = measure_line(line, EstimatedTokens())
    except ValueError as error:
        assert str(error).endswith(".")
        return
    examiner.examine(measured.conversation)
