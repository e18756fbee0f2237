"""Recipes as values by path."""

from typing import Any

import pytest

from runner.recipe.parse import parse_recipe
from runner.review.settings import recipe_settings, setting_changes
from runner.review.value import Change

RECIPE: dict[str, Any] = {
    "name": "faq",
    "sources": [{"path": "a.csv"}],
    "fields": {"question": "q", "answer": {"path": "a", "trim": True}},
    "template": {"messages": [{"role": "user", "content": "{{ question }}"}]},
    "training": {"model": "tiny-1"},
}


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        ({}, []),
        ({"description": ""}, []),
        ({"fields": {"answer": {"trim": True, "path": "a"}, "question": {"path": "q"}}}, []),
        ({"training": {"model": "tiny-1", "hyperparameters": {"n_epochs": "auto"}}}, []),
        (
            {"training": {"model": "tiny-1", "hyperparameters": {"n_epochs": 3}}},
            [Change(path="training.hyperparameters.n_epochs", kind="changed", before="auto", after=3)],
        ),
        ({"where": "question"}, [Change(path="where", kind="added", after="question")]),
        (
            {"sources": [{"path": "a.csv"}, {"path": "b.csv", "encoding": "cp949"}]},
            [
                Change(path="sources", kind="changed", before=["a.csv"], after=["a.csv", "b.csv"]),
                Change(path="sources[b.csv].encoding", kind="added", after="cp949"),
            ],
        ),
        (
            {"fields": {"question": "q", "answer": {"path": "a", "default": None}}},
            [
                Change(path="fields.answer.trim", kind="changed", before=True, after=False),
                Change(path="fields.answer.default", kind="added", after=None),
            ],
        ),
        (
            {"template": {"messages": {"from": "turns", "roles": {"bot": "assistant"}}}},
            [
                Change(path="template.messages[0].from", kind="added", after="turns"),
                Change(path="template.messages[0].role", kind="changed", before="user", after="role"),
                Change(
                    path="template.messages[0].content",
                    kind="changed",
                    before="{{ question }}",
                    after="content",
                ),
                Change(path="template.messages[0].roles", kind="added", after={"bot": "assistant"}),
            ],
        ),
    ],
)
def test_changes_by_meaning(edit: dict[str, Any], changes: list[Change]) -> None:
    before, after = (recipe_settings(parse_recipe(value)) for value in (RECIPE, {**RECIPE, **edit}))

    assert changes == list(setting_changes(before, after))
