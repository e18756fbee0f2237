"""What templates make has to be what the method takes; and what each method makes of them."""

from typing import Any

import pytest

from runner.evaluation.problems import training_grader_problems
from runner.examples.methods import method_problems
from runner.issues import json_path
from tests.examples.conftest import MakeSetting
from tests.examples.test_shaping import lines

USER = {"role": "user", "content": "{{ title }}"}
ANSWER = {"role": "assistant", "content": "네"}
GRADER = {"type": "string_check", "operation": "eq", "reference": "{{ item.answer }}"}
PAIR = {
    "input": [USER],
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "응"}],
}


def training(method: str, **values: Any) -> dict[str, Any]:
    return {"model": "tiny-1", "method": method, **values}


def problems(setting: MakeSetting, method: str, values: dict[str, Any], **parts: Any) -> list[str]:
    recipe = setting(training=training(method, **values), **parts).recipe
    found = [*method_problems(recipe), *training_grader_problems(recipe)]
    return [f"{json_path(keys)}: {sentence}" for keys, sentence in found]


@pytest.mark.parametrize(
    ("method", "values", "template", "expected"),
    [
        (
            "dpo",
            {"hyperparameters": {"compute_multiplier": 2}},
            {"messages": [USER, ANSWER]},
            [
                "$.training.hyperparameters.compute_multiplier: found compute_multiplier, which belongs "
                "to `method: reinforcement`; this recipe trains by dpo. Remove it, or change the method.",
                "$.template.messages: found one conversation a record; `method: dpo` needs two answers. "
                "Write `input`, `preferred_output` and `non_preferred_output`, or use `from: dpo`.",
            ],
        ),
        (
            "dpo",
            {"grader": GRADER},
            {"from": "kto"},
            [
                "$.training.grader: found a grader, which `method: reinforcement` alone uses. Remove it, or "
                "change the method.",
                "$.template.from: found 'kto', which has one answer a record; `method: dpo` needs a better "
                "one and a worse one. Use `from: dpo`.",
            ],
        ),
        (
            "reinforcement",
            {},
            {"messages": [USER, ANSWER], "item": ["titel"]},
            [
                "$.training: expected a `grader`, which judges the answers. Add it.",
                "$.template.messages[1]: found a message of the assistant at the end; with `method: "
                "reinforcement` the model answers the user by itself and the grader judges it. Remove it; "
                "what the grader compares with goes under `item`.",
                "$.template.item[0]: found 'titel', expected the name of a field. Did you mean 'title'?",
            ],
        ),
        (
            "reinforcement",
            {"grader": GRADER},
            PAIR,
            [
                "$.template.preferred_output: found two answers a record; with `method: reinforcement` the "
                "model answers by itself. Write `messages` that end with the user's.",
                "$.training.grader: found `item.answer`. The records bring nothing along. Add it under "
                "`template.item`.",
            ],
        ),
        (
            "supervised",
            {"hyperparameters": {"beta": 0.1}},
            {"messages": [USER, ANSWER], "item": ["title"]},
            [
                "$.training.hyperparameters.beta: found beta, which belongs to `method: dpo`; this recipe "
                "trains by supervised. Remove it, or change the method.",
                "$.template.item: found `item`, which `method: reinforcement` alone uses. Remove it, or "
                "change the method.",
            ],
        ),
        (
            "reinforcement",
            {"grader": {**GRADER, "operation": "same"}},
            {"messages": [USER], "item": ["title"]},
            ["$.training.grader.operation: 'same' is not one of ['eq', 'ne', 'like', 'ilike']."],
        ),
        (
            "reinforcement",
            {"grader": GRADER},
            {"from": "openai", "item": ["tools", "answer"]},
            [
                "$.template.item[0]: found 'tools', which the line of an example has already. Rename the "
                "field.",
            ],
        ),
        ("dpo", {"hyperparameters": {"beta": "auto"}}, PAIR, []),
        ("dpo", {}, {"from": "dpo"}, []),
        ("supervised", {}, PAIR, []),
    ],
)
def test_what_does_not_fit_the_method_is_said_at_once(
    setting: MakeSetting, method: str, values: dict[str, Any], template: Any, expected: list[str]
) -> None:
    assert expected == problems(setting, method, values, template=template)


def test_a_pair_is_written_for_dpo_and_its_better_answer_for_others(setting: MakeSetting) -> None:
    pair = setting(data=[{"title": "되나요?"}], template=PAIR, training=training("dpo"))
    chat = setting(data=[{"title": "되나요?"}], template=PAIR)

    assert [
        {
            "input": {"messages": [{"role": "user", "content": "되나요?"}]},
            "preferred_output": [{"role": "assistant", "content": "네"}],
            "non_preferred_output": [{"role": "assistant", "content": "응"}],
        }
    ] == lines(pair)
    assert [[("user", "되나요?"), ("assistant", "네")]] == lines(chat)


def test_a_task_keeps_the_kind_of_its_values(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "?", "answer": 3, "also": ["a"]}],
        fields={"title": "title", "answer": "answer", "also": "also"},
        template={"messages": [USER], "item": ["answer", "also"]},
        training=training("reinforcement", grader=GRADER),
    )

    assert [{"messages": [{"role": "user", "content": "?"}], "answer": 3, "also": ["a"]}] == lines(made)


def test_a_task_of_a_known_format_has_its_columns(setting: MakeSetting) -> None:
    rows = [{"instruction": "2 + 3", "output": "5"}, {"instruction": "2 + 4", "outputt": "6"}]
    made = setting(
        data=rows,
        fields={},
        template={"from": "alpaca", "item": ["output"]},
        training=training("reinforcement", grader=GRADER),
    )

    assert [
        {"messages": [{"role": "user", "content": "2 + 3"}], "output": "5"},
        "data.json: row 2: $.template.from: not alpaca: found no 'output', expected text. Did you mean "
        "'outputt'? The record has 'instruction', 'outputt'.",
    ] == lines(made)
