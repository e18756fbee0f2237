"""The hooks that other repositories use, called as pre-commit calls them."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from runner.cli.commands import COMMANDS
from tests.cli.conftest import Call

ROOT = Path(__file__).parent.parent.parent
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
STAGED = [
    "README.md",
    "recipes/b.yml",
    "recipes/data/c.yaml",
    "recipes/faq.lock.yaml",
    "recipes/faq.yaml",
    "team/recipes/d.yaml",
]
RECIPE = """\
version: 1
name: faq

sources:
  - path: faq.jsonl

fields:
  question: question

template:
  messages:
    - role: user
      content: "{{ question }}"

training:
  model: tiny-1
"""


def chosen(hook: dict[str, str]) -> list[str]:
    """The staged files that pre-commit passes to a hook: `files` without `exclude`, both searched for."""
    exclude = hook.get("exclude", "^$")
    return [name for name in STAGED if re.search(hook["files"], name) and not re.search(exclude, name)]


def test_the_hooks_and_their_files() -> None:
    recipes = ["recipes/b.yml", "recipes/faq.yaml", "team/recipes/d.yaml"]

    assert {
        "finetune-validate": recipes,
        "finetune-fmt": recipes,
        "finetune-lock-check": sorted([*recipes, "recipes/faq.lock.yaml"]),
    } == {name: chosen(hook) for name, hook in HOOKS.items()}


def test_every_hook_installs_the_core_alone() -> None:
    """`language: python` installs this repository without extras; the entry is its command."""
    for hook in HOOKS.values():
        assert "python" == hook["language"]
        assert "additional_dependencies" not in hook
        program, command, *rest = shlex.split(hook["entry"])
        assert ("finetune", True, []) == (program, command in COMMANDS, rest)


@pytest.mark.parametrize("name", HOOKS)
def test_an_entry_takes_all_staged_names(
    name: str,
    call: Call,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One call with every name, from the root of the repository, as pre-commit makes it."""
    monkeypatch.chdir(project)
    for file in chosen(HOOKS[name]):
        path = project / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if not file.endswith(".lock.yaml"):
            path.write_text(RECIPE)
    _, *arguments = shlex.split(HOOKS[name]["entry"])
    good = call(*arguments, *chosen(HOOKS[name]))
    (project / "recipes" / "b.yml").write_text(RECIPE.replace("name: faq", "nme: faq"))
    bad = call(*arguments, *chosen(HOOKS[name]))

    assert (0, 1) == (good.code, bad.code)
    assert "recipes/b.yml:2:1: $.nme: found an unknown key 'nme'. Did you mean 'name'?" in bad.err
