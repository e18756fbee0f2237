"""Reading training files: pytest tests/local/training/test_training_file.py"""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.local.training.job import TrainingError
from runner.local.training.messages import Message
from runner.local.training.training_file import Conversation, Preference, read_conversations, read_preferences

GOOD = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), "utf-8")
    return path


def test_messages_are_read_in_order(tmp_path: Path) -> None:
    """Only a line feed ends an example: U+2028 stands inside a message; empty lines are skipped."""
    path = tmp_path / "train.jsonl"
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "a\u2028"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c", "weight": 0},
        {"role": "assistant", "content": "d"},
    ]
    path.write_bytes(b"\n" + json.dumps({"messages": turns}, ensure_ascii=False).encode() + b"\r\n\n")

    assert [
        Conversation(
            number=1,
            messages=(
                Message(role="user", content="a\u2028b"),
                Message(role="assistant", content="c", weight=0),
                Message(role="assistant", content="d"),
            ),
        )
    ] == read_conversations(path, "training_file")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ([], " is not a JSON object."),
        ({}, ": messages must be a list with at least one message."),
        ({"messages": []}, ": messages must be a list with at least one message."),
        ({"messages": ["a"]}, ": message 1 is not an object."),
        (
            {"messages": [{"content": "a"}]},
            ": message 1 has role None; expected one of assistant, developer, system, tool, user.",
        ),
        ({"messages": [{"role": "user"}]}, ": message 1 has no text content."),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            ": Invalid content type. image_url is only supported by certain models.",
        ),
        (
            {"messages": [{"role": "assistant", "content": "a", "weight": 0.5}]},
            ": message 1 has weight 0.5; expected 0 or 1.",
        ),
        (
            {"messages": [{"role": "assistant", "content": None, "tool_calls": [{}]}]},
            ": message 1 has a tool call without a function.",
        ),
        ({**GOOD, "tools": [{}]}, ": tools must be a list of functions."),
        ({**GOOD, "functions": [{"name": "f"}]}, " has functions; expected them under tools."),
        (
            {"messages": [{"role": "assistant", "content": "a", "weight": 0}]},
            " has no assistant message of weight 1 to learn from.",
        ),
    ],
)
def test_bad_example_is_named(tmp_path: Path, record: Any, problem: str) -> None:
    with pytest.raises(TrainingError) as caught:
        read_conversations(write(tmp_path / "train.jsonl", GOOD, record), "training_file")

    assert f"Invalid file format. Example 2{problem}" == caught.value.message
    assert ("invalid_training_file", "training_file") == (caught.value.code, caught.value.param)


def test_half_of_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "valid.jsonl"
    path.write_text(r'{"messages": [{"role": "assistant", "content": "\ud83d"}]}', "utf-8")
    with pytest.raises(TrainingError) as caught:
        read_conversations(path, "validation_file")

    problem = "message 1 holds half of a surrogate pair, which is not text."
    assert f"Invalid file format. Example 1: {problem}" == caught.value.message
    assert "invalid_validation_file" == caught.value.code


@pytest.mark.parametrize("content", ["{", "[" * 100_000, b"\xff\xfe"])
def test_line_that_is_not_json_is_named(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrainingError, match=r"^Invalid file format\. Example 1 is not JSON: "):
        read_conversations(path, "training_file")


def test_file_without_examples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("\n", "utf-8")
    with pytest.raises(TrainingError) as caught:
        read_conversations(tmp_path / "train.jsonl", "training_file")

    assert ("invalid_n_examples", "The training_file has no examples.") == (
        caught.value.code,
        caught.value.message,
    )


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        read_conversations(tmp_path / "train.jsonl", "training_file")

    assert "The training_file cannot be read: No such file or directory." == caught.value.message


def preference_line(**changes: Any) -> dict[str, Any]:
    line = {
        "input": {"messages": [{"role": "user", "content": "가"}]},
        "preferred_output": [{"role": "assistant", "content": "나"}],
        "non_preferred_output": [{"role": "assistant", "content": "다"}],
    }
    return {name: value for name, value in {**line, **changes}.items() if value is not None}


def test_preferences_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(preference_line()) + "\n\n" + json.dumps(preference_line()), "utf-8")
    expected = [
        Preference(
            number=number,
            prompt=(Message(role="user", content="가"),),
            preferred=(Message(role="assistant", content="나"),),
            non_preferred=(Message(role="assistant", content="다"),),
        )
        for number in (1, 2)
    ]

    assert expected == read_preferences(path, "training_file")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (preference_line(input=None), " has no object 'input'."),
        (
            preference_line(input={"messages": []}),
            ": messages must be a list with at least one message.",
        ),
        (
            preference_line(input={"messages": [{"role": "user", "content": "a"}], "tools": [{}]}),
            ": tools must be a list of functions.",
        ),
        (
            preference_line(preferred_output=None),
            ": preferred_output: messages must be a list with at least one message.",
        ),
        (
            preference_line(non_preferred_output=[{"role": "user", "content": "a"}]),
            ": non_preferred_output may hold assistant and tool messages only.",
        ),
        (
            preference_line(non_preferred_output=[{"role": "tool", "content": "a", "tool_call_id": "c"}]),
            ": non_preferred_output has no assistant message.",
        ),
    ],
)
def test_bad_preference_is_named(tmp_path: Path, line: dict[str, Any], problem: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(f"{json.dumps(preference_line())}\n{json.dumps(line)}\n", "utf-8")
    with pytest.raises(TrainingError) as caught:
        read_preferences(path, "training_file")

    assert f"Invalid file format. Example 2{problem}" == caught.value.message


def test_file_of_another_method_is_called_one(tmp_path: Path) -> None:
    """In the hosted service's words."""
    chat, preferences = tmp_path / "chat.jsonl", tmp_path / "preferences.jsonl"
    chat.write_text('{"messages": []}\n', "utf-8")
    preferences.write_text(json.dumps(preference_line()), "utf-8")
    with pytest.raises(TrainingError) as not_dpo:
        read_preferences(chat, "training_file")
    with pytest.raises(TrainingError) as not_supervised:
        read_conversations(preferences, "training_file")

    assert (
        "The file is in the fine-tune-chat format, but the specified fine-tuning job is not using "
        "'supervised' as the training method."
    ) == not_dpo.value.message
    assert (
        "The file is in the fine-tune-preference format, but the specified fine-tuning job is not using "
        "'dpo' as the training method."
    ) == not_supervised.value.message
