"""Known formats in a sample of records: which is told, and what is said about it."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.project import Project
from runner.recipe.load import load_recipe
from runner.starter.formats import find_format
from runner.starter.guess import guess_recipe

ASK = {"role": "user", "content": "가?"}
ANSWER = {"role": "assistant", "content": "네"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"instruction": "a", "input": "", "output": "b", "source": "x"},
            ["format alpaca: instruction, output in 10 of 10 sampled records", "left out: source"],
        ),
        (
            {"instruction": "a", "context": "", "response": "b", "category": "qa"},
            ["format dolly: instruction, response in 10 of 10 sampled records", "left out: category"],
        ),
        (
            {"conversations": [{"from": "human", "value": "a"}], "tools": [{"name": "f"}]},
            [
                "format sharegpt: conversations in 10 of 10 sampled records",
                "tools are taken along; choose a model whose chat template has a place for them",
            ],
        ),
        ({"messages": [ASK, ANSWER]}, ["format openai: messages in 10 of 10 sampled records"]),
        ({"text": "<|im_start|>user\na<|im_end|>"}, ["format chatml: text in 10 of 10 sampled records"]),
        (
            {"prompt": "a", "chosen": "b", "rejected": "c"},
            [
                "format dpo: chosen, rejected in 10 of 10 sampled records",
                "method dpo: every record has a better and a worse answer",
            ],
        ),
        (
            {"prompt": "a", "completion": "b", "label": True},
            [
                "format kto: prompt, completion, label in 10 of 10 sampled records",
                "unwanted answers are left out: supervised training learns the wanted ones",
            ],
        ),
    ],
)
def test_a_format_is_told_by_its_columns(record: dict[str, Any], expected: list[str]) -> None:
    found = find_format([record] * 10)

    assert found is not None
    assert expected == list(found.explanation)


@pytest.mark.parametrize(
    "record",
    [
        {"question": "a", "response": "b", "label": 1},
        {"conversations": [{"from": "손님", "value": "a"}]},
        {"messages": [{"speaker": "user", "text": "a"}]},
        {"instruction": "a", "answer": "b"},
        {"text": "plain"},
    ],
)
def test_what_only_looks_like_one_is_none(record: dict[str, Any]) -> None:
    assert find_format([record] * 10) is None


def test_a_spoiled_record_among_many_is_told() -> None:
    good = {"instruction": "a", "output": "b"}
    found = find_format([good] * 19 + [{"instruction": "a"}])

    assert found is not None
    assert found.explanation[1] == (
        "warning: 1 record is not of it: found no 'output', expected text. Name it under `fields`, such as "
        "`output: your_column`. The record has 'instruction'."
    )
    assert find_format([good, {"instruction": "a"}]) is None


def test_a_recipe_of_a_known_format_needs_no_fields(project: Path) -> None:
    rows = [{"id": n, "prompt": f"{n}?", "chosen": "네", "rejected": "응"} for n in range(12)]
    (project / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    path = project / "pairs.yaml"
    guess = guess_recipe(project / "pairs.jsonl", path, Project(root=project.resolve()))
    path.write_text(guess.text)

    recipe = load_recipe(path).recipe
    assert ("dpo", "dpo", "id", ()) == (
        recipe.templates[0].shape,
        recipe.training.method,
        recipe.key,
        recipe.fields,
    )
    assert (
        "format dpo: chosen, rejected in 12 of 12 sampled records",
        "method dpo: every record has a better and a worse answer",
        "key from id, another value in every record: in 12 of 12 sampled records, such as '0'",
    ) == guess.explanation
