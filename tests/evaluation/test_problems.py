"""What is wrong with `evaluation:` is said with its place, all at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.evaluation.problems import evaluation_problems
from runner.recipe.load import load_recipe
from runner.recipe.model import Evaluation, Gate, Recipe, Split
from tests.small_project import RECIPE

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
}


@pytest.fixture
def recipe(project: Path) -> Recipe:
    """A recipe that holds records out."""
    (project / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return replace(load_recipe(project / "recipe.yaml").recipe, split=Split(validation=0.5))


def problems(recipe: Recipe, **parts: Any) -> list[tuple[Any, str]]:
    return evaluation_problems(replace(recipe, evaluation=Evaluation(**{"graders": (EXACT,), **parts})))


def test_a_recipe_without_an_evaluation_has_none(recipe: Recipe) -> None:
    assert [] == evaluation_problems(recipe)
    assert [] == problems(recipe, gate=Gate(metric="exact", better_than="locked"))


def test_all_are_said_with_their_places(recipe: Recipe) -> None:
    wrong = {**EXACT, "name": "says", "operation": "equals"}
    found = problems(
        recipe,
        graders=(EXACT, EXACT, wrong),
        slices=("questoin",),
        gate=Gate(metric="exacct", better_than="few_shot"),
    )

    assert [
        (
            ("evaluation", "graders", 1),
            "found 'exact' again, expected each name once. Give one grader another `name`.",
        ),
        (
            ("evaluation", "graders", 2, "operation"),
            "'equals' is not one of ['eq', 'ne', 'like', 'ilike'].",
        ),
        (
            ("evaluation", "slices", 0),
            "found 'questoin', expected the name of a field. Did you mean 'question'?",
        ),
        (
            ("evaluation", "gate", "metric"),
            "found 'exacct', expected the name of a grader. Did you mean 'exact'?",
        ),
        (
            ("evaluation", "gate", "better_than"),
            "found 'few_shot', which is not compared. Add it to `baselines`.",
        ),
    ] == found


def test_questions_have_to_come_from_somewhere(recipe: Recipe) -> None:
    sentence = "there are no questions: nothing is held out. Set `split.validation`, or give `sources` here."
    nothing = replace(recipe, split=Split())

    assert [(("evaluation",), sentence)] == problems(nothing)
    assert [] == problems(nothing, on="training")
