"""Recipes from files: what is accepted, and the exact words for what is not."""

import os
from pathlib import Path

import pytest

from runner.errors import InvalidInputError, RunnerError
from runner.recipe.load import load_profiles, load_recipe

HERE = Path(__file__).parent
INVALID = sorted((HERE / "invalid").glob("*.yaml"))
VALID = sorted((HERE / "valid").glob("*.yaml"))


def place(case: Path, project: Path) -> Path:
    recipe = project / "recipe.yaml"
    recipe.write_bytes(case.read_bytes())
    return recipe


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_an_invalid_recipe_gets_its_exact_messages(case: Path, project: Path) -> None:
    """Every problem is reported at once with file, line, column, path, found, expected and advice."""
    with pytest.raises(InvalidInputError) as caught:
        load_profiles(place(case, project))

    assert f"{caught.value}\n" == case.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_a_valid_recipe_is_read(case: Path, project: Path) -> None:
    recipe = load_recipe(place(case, project)).recipe

    assert "faq" == recipe.name


def test_every_case_has_its_messages() -> None:
    assert {case.stem for case in INVALID} == {path.stem for path in (HERE / "invalid").glob("*.txt")}


def test_plain_words_stay_text_and_exponents_are_numbers(project: Path) -> None:
    """`no`, `010` and dates are text; `3e-4` is a number."""
    norway = load_recipe(place(HERE / "valid" / "norway-is-text.yaml", project)).recipe
    texts = load_recipe(place(HERE / "valid" / "octal-and-dates-are-text.yaml", project)).recipe
    number = load_recipe(place(HERE / "valid" / "exponent-is-a-number.yaml", project)).recipe

    assert "no" == norway.key
    assert ("010", "2024-01-02") == (texts.sources[0].path, texts.key)
    assert 0.0003 == number.training.hyperparameters.learning_rate_multiplier


def test_an_unknown_profile_is_named_with_the_known_ones(project: Path) -> None:
    recipe = place(HERE / "valid" / "plain.yaml", project)

    with pytest.raises(RunnerError) as caught:
        load_recipe(recipe, "opnai")

    assert (
        f"{recipe}: found no profile 'opnai'. Known here: default. Profiles stand under `profiles:`."
        == str(caught.value)
    )


def test_a_missing_file_is_named(project: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        load_recipe(project / "absent.yaml")

    assert f"{project / 'absent.yaml'}: not found. Give the path of a recipe file." == str(caught.value)


def test_a_pipe_is_named_and_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "pipe.yaml")

    with pytest.raises(RunnerError) as caught:
        load_recipe(project / "pipe.yaml")

    assert (
        f"{project / 'pipe.yaml'}: found a pipe, socket or device, expected a regular file. Save it as one."
        == str(caught.value)
    )


def test_comments_and_order_do_not_change_the_hash(project: Path) -> None:
    """The digest is of the meaning, not of the text."""
    recipe = place(HERE / "valid" / "plain.yaml", project)
    before = load_recipe(recipe).recipe.sha256
    head, _, rest = recipe.read_text().partition("sources:")
    recipe.write_text(f"# a comment\nsources:{rest}\n{head}")

    assert before == load_recipe(recipe).recipe.sha256


def test_files_are_named_as_seen_from_the_project(project: Path) -> None:
    (project / "recipes").mkdir()
    loaded = load_recipe(place(HERE / "valid" / "plain.yaml", project / "recipes"))

    assert ("recipes/recipe.yaml", "recipes/recipe.lock.yaml") == (loaded.file, loaded.lock_file)
