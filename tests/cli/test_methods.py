"""Preferences and reinforcement, from a recipe to what a host is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.providers.hosts import find_host
from tests.cli.conftest import Call
from tests.fake_host import FakeHost

METHODS = """
[methods.supervised]
n_epochs = "n_epochs"

[methods.dpo]
n_epochs = "n_epochs"
beta = "beta"

[methods.reinforcement]
n_epochs = "n_epochs"
compute_multiplier = "compute_multiplier"
"""
HEAD: dict[str, Any] = {"version": 1, "name": "faq", "sources": [{"path": "rows.jsonl"}], "key": "id"}
GRADER = {
    "type": "string_check",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
PYTHON = {"type": "python", "source": "def grade(sample, item):\n    return 1.0\n"}


@pytest.fixture
def methods(hosted: FakeHost, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """The fake host with all methods in its entry."""
    from runner.cli.options import user_hosts

    entry = user_hosts() / "fake.toml"
    entry.write_text(entry.read_text().replace("[[models]]", f"{METHODS}\n[[models]]", 1))
    assert {"supervised", "dpo", "reinforcement"} == set(find_host("fake", user_hosts()).methods)
    return hosted


def write(folder: Path, rows: list[dict[str, Any]], **parts: Any) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    parts["training"] = {"provider": "fake", "model": "base-1", **parts["training"]}
    path = folder / "method.yaml"
    path.write_text(yaml.safe_dump({**HEAD, **parts}, allow_unicode=True, sort_keys=False))
    return path


def preference(recipe: Path, **training: Any) -> Path:
    rows = [{"id": n, "prompt": f"{n}번?", "chosen": f"네, {n}입니다.", "rejected": "응."} for n in range(12)]
    return write(recipe.parent, rows, template={"from": "dpo"}, training={"method": "dpo", **training})


def reinforcement(recipe: Path, grader: dict[str, Any], **training: Any) -> Path:
    rows = [{"id": n, "q": f"{n} + 1?", "a": n + 1} for n in range(12)]
    return write(
        recipe.parent,
        rows,
        fields={"q": "q", "answer": "a"},
        template={"messages": [{"role": "user", "content": "{{ q }}"}], "item": ["answer"]},
        training={"method": "reinforcement", "grader": grader, **training},
    )


def sent_lines(host: FakeHost) -> list[Any]:
    (content,) = host.contents.values()
    return [json.loads(line) for line in content.splitlines()]


def test_preferences_are_sent_as_the_api_takes_them(recipe: Path, methods: FakeHost, call: Call) -> None:
    path = preference(recipe, hyperparameters={"n_epochs": 2, "beta": 0.2})
    outcome = call("run", path, "--yes")
    lock = yaml.safe_load((recipe.parent / "method.lock.yaml").read_text())["runs"]["default"]["job"]

    assert 0 == outcome.code, outcome.err
    assert {
        "type": "dpo",
        "dpo": {"hyperparameters": {"n_epochs": 2, "beta": 0.2}},
    } == methods.bodies[-1]["method"]
    assert {
        "input": {"messages": [{"role": "user", "content": "0번?"}]},
        "preferred_output": [{"role": "assistant", "content": "네, 0입니다."}],
        "non_preferred_output": [{"role": "assistant", "content": "응."}],
    } == sent_lines(methods)[0]
    assert ("dpo", 0.2) == (lock["method"], lock["hyperparameters"]["requested"]["beta"])
    assert "Nothing to do" in call("run", path, "--yes").out


def test_a_changed_method_or_value_is_the_reason(recipe: Path, methods: FakeHost, call: Call) -> None:
    call("run", preference(recipe), "--yes")
    other = preference(recipe, hyperparameters={"beta": 0.3})

    assert "replace because beta none → 0.3" in call("plan", other).out
    supervised = write(
        recipe.parent,
        [{"id": n, "prompt": f"{n}번?", "chosen": "네.", "rejected": "응."} for n in range(12)],
        template={"from": "dpo"},
        training={},
    )
    assert "method dpo → supervised" in call("plan", supervised).out


def test_tasks_go_with_their_item_and_grader(recipe: Path, methods: FakeHost, call: Call) -> None:
    path = reinforcement(recipe, GRADER, hyperparameters={"compute_multiplier": 1.5})
    outcome = call("run", path, "--yes", "--allow-unknown-price")
    lock = yaml.safe_load((recipe.parent / "method.lock.yaml").read_text())["runs"]["default"]["job"]

    assert 0 == outcome.code, outcome.err
    assert {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {"name": "string_check", **GRADER},
            "hyperparameters": {"n_epochs": "auto", "compute_multiplier": 1.5},
        },
    } == methods.bodies[-1]["method"]
    assert {"messages": [{"role": "user", "content": "0 + 1?"}], "answer": 1} == sent_lines(methods)[0]
    assert 64 == len(lock["grader_sha256"])
    changed = reinforcement(recipe, {**GRADER, "operation": "like"})
    assert "grader changed" in call("plan", changed).out


def test_reinforcement_has_no_price_that_anybody_knows(recipe: Path, methods: FakeHost, call: Call) -> None:
    path = reinforcement(recipe, GRADER)

    assert (
        "price: unknown (reinforcement is billed by time, which nobody knows before)"
        in call("plan", path).out
    )
    assert (8, []) == (call("run", path, "--yes").code, methods.bodies)


def test_python_of_a_recipe_needs_the_operators_word(recipe: Path, methods: FakeHost, call: Call) -> None:
    path = reinforcement(recipe, PYTHON)
    options = ("--yes", "--allow-unknown-price")
    refused = call("run", path, *options)

    assert (2, []) == (refused.code, methods.bodies)
    assert ("the grader of method.yaml runs Python from the recipe; --allow-code allows it.") in refused.err
    assert 0 == call("run", path, "--allow-code", *options).code


def test_a_host_without_the_method_is_asked_nothing(recipe: Path, hosted: FakeHost, call: Call) -> None:
    outcome = call("run", preference(recipe), "--yes")

    assert (1, []) == (outcome.code, hosted.requests)
    assert (
        "method.yaml:11:11: $.training.method: found 'dpo', fake has 'supervised'. "
        "Choose one of them, or another provider."
    ) in outcome.err


def test_what_stands_beside_the_messages_is_shown(recipe: Path, methods: FakeHost, call: Call) -> None:
    pair = call("preview", preference(recipe), "-n", "1")
    assert (
        "rows.jsonl: row 1, key 0\n  user: 0번?\n  assistant: 네, 0입니다.\n  worse assistant: 응.\n"
    ) == pair.out

    task = call("preview", reinforcement(recipe, GRADER), "-n", "1")
    assert "rows.jsonl: row 1, key 0\n  user: 0 + 1?\n  item.answer: 1\n" == task.out
