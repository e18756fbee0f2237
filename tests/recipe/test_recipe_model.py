"""Recipes that train the result of another recipe further."""

from pathlib import Path

import pytest

from runner.recipe.load import load_recipe
from runner.recipe.model import RecipeModel
from tests.recipe.test_extending import BASE, problems, write

FIRST = BASE + "name: first\nprofiles: {long: {training: {seed: 5}}}\n"
SECOND = f"{BASE.replace('model: tiny-1', 'model: {recipe: first.yaml}')}name: second\n"


def test_the_other_recipe_is_read_with_it(project: Path) -> None:
    under = SECOND.replace("first.yaml}", "first.yaml, profile: long}")
    loaded = load_recipe(write(project, first=FIRST, second=under))

    assert RecipeModel(recipe="first.yaml", profile="long") == loaded.recipe.training.model
    assert ["first.yaml (profile long)", "second.yaml"] == [each.run_name for each in loaded.lineage]
    assert (5, "tiny-1") == (loaded.lineage[0].recipe.training.seed, loaded.root_model)


def test_a_recipe_may_build_on_its_own_profile(project: Path) -> None:
    profiles = "profiles: {more: {training: {model: {recipe: first.yaml}}}}\n"
    path = write(project, first=BASE + "name: first\n" + profiles)

    assert ["first.yaml", "first.yaml (profile more)"] == [
        each.run_name for each in load_recipe(path, "more").lineage
    ]


def test_a_path_in_a_base_is_relative_to_that_base(project: Path) -> None:
    child = "version: 1\nextends: ../common/second.yaml\nname: child\n"
    path = write(project, **{"common/first": FIRST, "common/second": SECOND, "recipes/child": child})

    assert "common/first.yaml" == load_recipe(path).lineage[0].run_name


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "{recipe: frst.yaml}",
            ":14:19: $.training.model.recipe: found no file at 'frst.yaml', expected a recipe. "
            "Did you mean 'first.yaml'?",
        ),
        (
            "{recipe: ../x.yaml}",
            ":14:19: $.training.model.recipe: found '../x.yaml' outside the project, expected a file inside "
            "it. Move the file there.",
        ),
        (
            "{recipe: first.yaml, profile: lng}",
            ":14:40: $.training.model.profile: found no profile 'lng' in first.yaml. Did you mean 'long'?",
        ),
        (
            "{recipes: first.yaml}",
            ":14:11: $.training.model.recipes: found an unknown key 'recipes'. Did you mean 'recipe'?",
        ),
    ],
)
def test_another_recipe_that_cannot_be_used(project: Path, model: str, message: str) -> None:
    path = write(project, first=FIRST, second=SECOND.replace("{recipe: first.yaml}", model))

    assert f"second.yaml{message}" in problems(path)


def test_the_way_to_a_problem_is_shown(project: Path) -> None:
    third = SECOND.replace("name: second", "name: third").replace("first.yaml", "second.yaml")
    path = write(project, second=SECOND, third=third)

    assert [
        "second.yaml:14:19: $.training.model.recipe: found no file at 'first.yaml', expected a recipe. "
        "Correct the path. Needed by third.yaml → second.yaml."
    ] == problems(path)


def test_a_circle_is_shown(project: Path) -> None:
    path = write(project, first=SECOND.replace("first.yaml", "second.yaml"), second=SECOND)

    assert [
        "first.yaml:14:19: $.training.model.recipe: found a circle (second.yaml → first.yaml → second.yaml), "
        "expected recipes that do not lead back. Change one `model`."
    ] == problems(path)


def test_problems_of_the_other_recipe_are_told(project: Path) -> None:
    path = write(project, first=FIRST.replace("n_epochs: 3", "n_epochs: 300"), second=SECOND)

    assert [
        "first.yaml:15:31: $.training.hyperparameters.n_epochs: found 300, expected an integer from 1 to 50."
    ] == problems(path)
