"""What a schema found valid once is known, to this user and for this value alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.schema import load_schema, violations
from runner.verdicts import MAX_KEPT, is_known_valid, note_valid, verdict_key


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The values that the library was asked about."""
    import jsonschema

    found: list[Any] = []
    ask = jsonschema.Draft202012Validator.iter_errors

    def noted(self: Any, value: Any, *arguments: Any) -> Any:
        found.append(value)
        return ask(self, value, *arguments)

    monkeypatch.setattr(jsonschema.Draft202012Validator, "iter_errors", noted)
    return found


def test_a_valid_value_is_looked_at_once(asked: list[Any]) -> None:
    value = {"aliases_version": 1, "entries": []}
    first, second = violations("aliases", value), violations("aliases", value)

    assert first == second
    assert (1 if not first else 2) == asked.count(value)


def test_what_is_wrong_is_said_every_time() -> None:
    said = [[item.message for item in violations("recipe", {"version": 2})] for _ in range(2)]

    assert said[0] == said[1] != []


def test_part_of_a_value_is_no_verdict_on_the_whole() -> None:
    assert [] == violations("recipe", {"version": 1}, within=("version",))
    assert [] != violations("recipe", {"version": 1})


def test_it_is_kept_for_the_user_and_never_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    note_valid(b"k" * 32)

    assert is_known_valid(b"k" * 32)
    assert [tmp_path / "home/.cache/finetune-runner/valid"] == [
        path for path in tmp_path.rglob("*") if path.is_file()
    ]


@pytest.mark.parametrize("home", ["", "relative"])
def test_without_a_home_nothing_is_kept(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    note_valid(b"k" * 32)

    assert not is_known_valid(b"k" * 32)
    assert [] == list(tmp_path.iterdir())


def test_the_oldest_verdicts_are_dropped() -> None:
    keys = [number.to_bytes(32) for number in range(MAX_KEPT + 2)]
    for key in keys:
        note_valid(key)
    note_valid(keys[-1])

    assert [False, False, True, True] == [is_known_valid(keys[at]) for at in (0, 1, 2, -1)]


def test_a_value_that_json_cannot_write_has_no_key() -> None:
    assert verdict_key("{}", float("nan")) is None
    assert verdict_key("{}", {"a": {1, 2}}) is None
    assert verdict_key("{}", 1) != verdict_key("{ }", 1)


def test_a_second_look_needs_no_library() -> None:
    code = (
        "import sys; from runner.schema import violations;"
        "violations('recipe', {'version': 1}, within=('version',)); print('jsonschema' in sys.modules)"
    )
    run = [sys.executable, "-c", code]

    assert ["True\n", "False\n"] == [subprocess.check_output(run, text=True) for _ in range(2)]
    assert load_schema("recipe")["type"] == "object"
