"""Values set over a recipe on the command line."""

from pathlib import Path

import pytest

from runner.errors import InvalidInputError, UsageError
from runner.recipe.load import load_recipe
from runner.recipe.model import Hyperparameters, Recipe
from runner.recipe.yaml import Scalar, read_scalar
from tests.recipe.test_extending import BASE, write

WHOLE = BASE + "name: faq\nprofiles: {long: {training: {hyperparameters: {n_epochs: 9}}}}\n"


@pytest.fixture
def path(project: Path) -> Path:
    return write(project, recipe=WHOLE)


def with_set(path: Path, *assignments: str, profile: str = "default") -> Recipe:
    return load_recipe(path, profile, assignments).recipe


def refusal(path: Path, *assignments: str) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        load_recipe(path, "default", assignments)
    return [str(issue) for issue in caught.value.issues]


def test_values_are_set_below_mappings_and_in_lists(path: Path) -> None:
    recipe = with_set(path, "training.seed=3", "sources.0.path=other.csv", "limits.max_cost_usd=2.5")

    assert (3, "other.csv", 2.5) == (
        recipe.training.seed,
        recipe.sources[0].path,
        recipe.limits.max_cost_usd,
    )


def test_what_is_set_is_laid_over_the_profile(path: Path) -> None:
    assert (
        4
        == with_set(
            path, "training.hyperparameters.n_epochs=4", profile="long"
        ).training.hyperparameters.n_epochs
    )


def test_null_removes(path: Path) -> None:
    assert with_set(path, "key=null").key is None


def test_another_model_resets_the_hyperparameters(path: Path) -> None:
    recipe = with_set(path, "training.hyperparameters.batch_size=2", "training.model=gpt-2")

    assert Hyperparameters(batch_size=2) == recipe.training.hyperparameters


def test_problems_name_the_option(path: Path) -> None:
    assert [
        "--set split.sed: $.split.sed: found an unknown key 'sed'. Did you mean 'seed'?",
        "--set training.hyperparameters.n_epochs: $.training.hyperparameters.n_epochs: found 'three', "
        'expected "auto" or an integer from 1 to 50.',
        "--set trainng.seed: $.trainng: found an unknown key 'trainng'. Did you mean 'training'?",
    ] == refusal(path, "trainng.seed=1", "training.hyperparameters.n_epochs=three", "split.sed=1")


def test_paths_that_lead_nowhere(path: Path) -> None:
    assert [
        "--set key.x: `key` is 'id', expected a mapping or a list there. Shorten the path.",
        "--set sources.1.path: `sources` is a list of 1, which has no '1', expected one of 0.",
        "--set sources.first: `sources` is a list of 1, which has no 'first', expected one of 0.",
        "--set sources.0: found null for an item of a list, expected a value. Lists are replaced whole.",
    ] == refusal(path, "key.x=1", "sources.1.path=x", "sources.first=x", "sources.0=null")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "training.seed",
            "--set: found 'training.seed', expected a path and a value, such as training.seed=3.",
        ),
        ("=3", "--set: found '=3', expected a path and a value, such as training.seed=3."),
        ("a..b=3", "--set: found 'a..b=3', expected a path and a value, such as training.seed=3."),
        ("extends=x.yaml", "--set extends: a recipe's extends cannot be set."),
        ("name=x", "--set name: a recipe's name cannot be set."),
        ("profiles.a.key=x", "--set profiles.a.key: a recipe's profiles cannot be set."),
        ("key='x", "--set key: found ''x', expected a closing quote at the end."),
        ("key=\x1b[2J", "--set key: found the control character U+001B, expected visible text."),
        (
            "split.validation=1e999",
            "--set split.validation: found '1e999', expected a number that fits a float.",
        ),
    ],
)
def test_what_is_no_assignment_is_a_usage_error(path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(path, "default", [text])

    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3e-4", 0.0003),
        ("no", "no"),
        ("010", "010"),
        ("true", True),
        ("", None),
        ('"3"', "3"),
        ("'a b'", "a b"),
        ("a: b # c", "a: b # c"),
        (" 3 ", 3),
    ],
)
def test_values_are_read_as_in_a_recipe(text: str, value: Scalar) -> None:
    found = read_scalar(text)

    assert (value, type(value)) == (found, type(found))
