"""Messages of a chat with tool calls."""

from typing import Any

import pytest

from runner.local.training.messages import InvalidMessageError, Message, parse_messages

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
READ = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}


def test_calls_and_their_answers_are_read() -> None:
    """Arguments become values, which templates print themselves."""
    assert parse_messages(
        [
            {"role": "developer", "content": "be kind"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ]
    ) == (
        Message(role="developer", content="be kind"),
        Message(role="assistant", content="", tool_calls=(READ,)),
        Message(role="tool", content="3", tool_call_id="c1"),
    )


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (5, "message 1 is not an object"),
        ({"role": "user"}, "message 1 has no text content"),
        (
            {"role": ["user"], "content": "a"},
            "message 1 has role ['user']; expected one of assistant, developer, system, tool, user",
        ),
        ({"role": "tool", "content": "3"}, "message 1 has role 'tool' and no tool_call_id"),
        (
            {"role": "user", "content": "a", "tool_calls": [CALL]},
            "message 1 has tool calls; only a list in an assistant message is one",
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c"}]},
            "message 1 has a tool call without a function",
        ),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]},
            "message 1 has a tool call whose arguments are not JSON",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
            "Invalid content type. image_url is only supported by certain models",
        ),
    ],
)
def test_what_is_wrong_is_named(message: Any, problem: str) -> None:
    """By the number of the message."""
    with pytest.raises(InvalidMessageError) as caught:
        parse_messages([message])

    assert str(caught.value) == problem


@pytest.mark.parametrize("value", [None, [], "hello"])
def test_a_conversation_is_a_list(value: Any) -> None:
    """With at least one message."""
    with pytest.raises(InvalidMessageError) as caught:
        parse_messages(value)

    assert str(caught.value) == "messages must be a list with at least one message"
