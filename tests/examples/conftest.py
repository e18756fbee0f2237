"""A recipe, its data and its files, written in a few lines."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.examples.read import Example, read_examples
from runner.issues import Issue
from runner.project import Project
from runner.recipe.model import Recipe
from runner.recipe.parse import parse_recipe

DEFAULTS: dict[str, Any] = {
    "name": "test",
    "sources": [{"path": "data.json"}],
    "fields": {"title": "title"},
    "template": {"messages": [{"role": "user", "content": "{{ title }}"}]},
    "training": {"model": "tiny-1"},
}


@dataclass(frozen=True)
class Setting:
    """A recipe in a project folder of its own."""

    recipe: Recipe
    project: Project

    @property
    def folder(self) -> Path:
        return self.project.root

    def items(self) -> list[Example | Issue]:
        return list(read_examples(self.recipe, self.folder, self.project))

    def texts(self) -> list[str]:
        """What every message says, and every issue."""
        return [
            text
            for item in self.items()
            for text in ([str(item)] if isinstance(item, Issue) else [m.content for m in item.messages])
        ]


MakeSetting = Callable[..., Setting]


@pytest.fixture
def setting(project: Path) -> MakeSetting:
    """Make a setting: data is written as JSON, files by name, the rest are parts of the recipe."""

    def make(data: Any = None, files: dict[str, str] | None = None, **parts: Any) -> Setting:
        root = project.resolve()
        for name, content in (files or {}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8", newline="")
        (root / "data.json").write_text(json.dumps(data if data is not None else []), encoding="utf-8")
        value = {**DEFAULTS, **parts}
        if "templates" in parts:
            del value["template"]
        return Setting(parse_recipe(value), Project(root=root))

    return make
