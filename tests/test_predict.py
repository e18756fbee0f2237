"""Prompts for new records, in the words that a model was trained with."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.errors import UsageError
from runner.predict import render_prompt

HEAD = {"version": 1, "name": "faq", "sources": [{"path": "rows.jsonl"}], "training": {"model": "tiny-1"}}
USER = {"role": "user", "content": "{{ title }}?"}
ASSISTANT = {"role": "assistant", "content": "{{ body }}"}


def write(project: Path, **parts: Any) -> Path:
    path = project / "faq.yaml"
    path.write_text(yaml.safe_dump({**HEAD, **parts}, allow_unicode=True))
    return path


@pytest.mark.parametrize(
    ("shape", "record", "expected"),
    [
        ("alpaca", {"instruction": "인사", "input": "한국어"}, ["인사\n한국어"]),
        ("dolly", {"instruction": "Hi"}, ["Hi"]),
        ("dpo", {"system": "짧게.", "prompt": "가?"}, ["짧게.", "가?"]),
        ("kto", {"prompt": "가?"}, ["가?"]),
        ("sharegpt", {"conversations": [{"from": "human", "value": "가?"}]}, ["가?"]),
        (
            "openai",
            {"messages": [{"role": "user", "content": "가?"}, {"role": "assistant", "content": "네"}]},
            ["가?"],
        ),
    ],
)
def test_a_record_of_a_known_format_needs_no_answer(
    project: Path, shape: str, record: dict[str, Any], expected: list[str]
) -> None:
    path = write(project, template={"from": shape})

    assert expected == [message["content"] for message in render_prompt(path, record)]


def test_a_mapped_answer_need_not_be_there(project: Path) -> None:
    path = write(
        project, fields={"instruction": "질문", "output": "답"}, template={"from": "alpaca"}, key="id"
    )

    assert [{"role": "user", "content": "가?"}] == render_prompt(path, {"질문": "가?"})


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_a_pair_is_asked_with_its_input(project: Path, method: str) -> None:
    path = write(
        project,
        fields={"title": "title", "body": "body"},
        template={
            "input": [USER],
            "preferred_output": [ASSISTANT],
            "non_preferred_output": [dict(ASSISTANT)],
        },
        training={"model": "tiny-1", "method": method},
    )

    assert [{"role": "user", "content": "밸브?"}] == render_prompt(path, {"title": "밸브"})


def test_a_task_is_asked_as_it_is(project: Path) -> None:
    grader = {"type": "string_check", "operation": "eq", "reference": "{{ item.body }}"}
    path = write(
        project,
        fields={"title": "title", "body": "body"},
        template={"messages": [USER], "item": ["body"]},
        training={"model": "tiny-1", "method": "reinforcement", "grader": grader},
    )

    assert [{"role": "user", "content": "밸브?"}] == render_prompt(path, json.loads('{"title": "밸브"}'))


def test_a_template_that_is_not_there_is_told_from_those_that_are(project: Path) -> None:
    messages = {"messages": [USER, ASSISTANT]}
    single = write(project, fields={"title": "title", "body": "body"}, template=messages)
    with pytest.raises(UsageError) as of_one:
        render_prompt(single, {"title": "가"}, variant="short")
    several = write(
        project,
        fields={"title": "title", "body": "body"},
        templates=[
            {"name": name, "messages": [dict(USER), dict(ASSISTANT)]} for name in ("plain", "shorter")
        ],
    )
    with pytest.raises(UsageError) as of_two:
        render_prompt(several, {"title": "가"}, variant="short")

    assert "--variant: found no template 'short'. The recipe has a single one, without a name." == str(
        of_one.value
    )
    assert "--variant: found no template 'short'. Did you mean 'shorter'?" == str(of_two.value)
