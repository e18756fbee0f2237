"""The combinations of a recipe's matrix, their names, and the exact words for what is none."""

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.recipe.choosing import chosen, single, with_one_dataset
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.matrix import short_names, value_text
from runner.recipe.yaml import Scalar
from tests.recipe.test_extending import BASE, problems, write

WHOLE = BASE + "name: faq\n"
MATRIX = "matrix:\n  training.seed: [1, 2]\n  training.hyperparameters.n_epochs: [3, 5]\n"
NAMES = ["n_epochs=3,seed=1", "n_epochs=3,seed=2", "n_epochs=5,seed=1", "n_epochs=5,seed=2"]


def names(found: tuple[LoadedRecipe, ...]) -> list[str]:
    return [each.combination.name for each in found if each.combination]


@pytest.fixture
def loaded(project: Path) -> LoadedRecipe:
    return load_recipe(write(project, recipe=WHOLE + MATRIX))


def test_every_combination_is_a_recipe_of_its_own(loaded: LoadedRecipe) -> None:
    assert NAMES == names(loaded.combinations)
    assert "default[n_epochs=5,seed=2]" == loaded.combinations[-1].run_key
    assert "recipe.yaml [n_epochs=5,seed=2]" == loaded.combinations[-1].run_name
    assert (5, 2) == (
        loaded.combinations[-1].recipe.training.hyperparameters.n_epochs,
        loaded.combinations[-1].recipe.training.seed,
    )


def test_names_do_not_depend_on_the_order_of_the_keys(loaded: LoadedRecipe, project: Path) -> None:
    head, seed, epochs = MATRIX.splitlines(keepends=True)
    other = load_recipe(write(project, recipe=WHOLE + head + epochs + seed))

    assert NAMES == names(other.combinations)
    assert loaded.recipe.sha256 == other.recipe.sha256


def test_the_matrix_is_part_of_the_meaning_and_a_combination_has_none(
    loaded: LoadedRecipe, project: Path
) -> None:
    same = WHOLE.replace("n_epochs: 3", "n_epochs: 5").replace(
        "  model: tiny-1", "  model: tiny-1\n  seed: 2"
    )
    plain = load_recipe(write(project, plain=same))

    assert loaded.recipe.sha256 != load_recipe(write(project, bare=WHOLE)).recipe.sha256
    assert plain.recipe.sha256 == loaded.combinations[-1].recipe.sha256


@pytest.mark.parametrize(
    ("paths", "short"),
    [
        (["training.seed"], ["seed"]),
        (["split.seed", "training.seed"], ["split.seed", "training.seed"]),
        (["a.b.x", "c.b.x", "a.y"], ["a.b.x", "c.b.x", "y"]),
        (["key", "fields.key"], ["key", "fields.key"]),
    ],
)
def test_short_names_are_unique(paths: list[str], short: list[str]) -> None:
    assert dict(zip(paths, short, strict=True)) == short_names(paths)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2.0, "2"),
        (0.0003, "0.0003"),
        (True, "true"),
        ("auto", "auto"),
        ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B"),
        ("3", '"3"'),
        ("a, b", '"a, b"'),
        ("제목", "제목"),
    ],
)
def test_values_in_names(value: Scalar, text: str) -> None:
    assert text == value_text(value)


def test_filters_on_one_key_add_up_and_on_several_restrict(loaded: LoadedRecipe) -> None:
    assert NAMES == names(chosen(loaded, ["seed=1", "training.seed=2"]))
    assert ["n_epochs=5,seed=1"] == names(chosen(loaded, ["seed=1", "n_epochs=5"]))


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("seed", "--only: found 'seed', expected a key and a value, such as n_epochs=3."),
        ("sed=1", "--only: found no key 'sed' in the matrix. Did you mean 'seed'?"),
        ("seed=3", "--only seed=3: expected one of the matrix's values, 1, 2."),
        ("seed='1", "--only seed='1: expected one of the matrix's values, 1, 2."),
    ],
)
def test_filters_that_choose_nothing(loaded: LoadedRecipe, only: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(loaded, [only])

    assert message == str(caught.value)


def test_a_single_run_is_chosen_by_name(loaded: LoadedRecipe) -> None:
    with pytest.raises(UsageError) as caught:
        single(loaded, ["seed=1"])

    assert (
        "recipe.yaml has 2 combinations: 'n_epochs=3,seed=1', 'n_epochs=5,seed=1'. Choose one, such as "
        "--only n_epochs=3 --only seed=1." == str(caught.value)
    )


def test_only_needs_a_matrix(project: Path) -> None:
    with pytest.raises(UsageError, match="^--only: recipe.yaml has no `matrix` to choose from.$"):
        chosen(load_recipe(write(project, recipe=WHOLE)), ["seed=1"])


def test_combinations_that_make_other_datasets_are_told_apart(project: Path) -> None:
    loaded = load_recipe(
        write(project, recipe=f"{WHOLE}matrix: {{split.seed: [1, 2], training.seed: [1]}}\n")
    )

    assert "split.seed=1" in names((with_one_dataset(loaded, ["split.seed=1"]),))[0]
    with pytest.raises(UsageError, match="^recipe.yaml has 2 combinations"):
        with_one_dataset(loaded, [])


def test_what_is_set_stays_where_a_combination_changes_the_model(project: Path) -> None:
    path = write(project, recipe=f"{WHOLE}matrix: {{training.model: [tiny-1, gpt-2]}}\n")
    loaded = load_recipe(path, "default", ["training.hyperparameters.batch_size=2"])

    assert [(3, 2), ("auto", 2)] == [
        (each.recipe.training.hyperparameters.n_epochs, each.recipe.training.hyperparameters.batch_size)
        for each in loaded.combinations
    ]


def test_a_matrix_is_merged_like_everything_else(project: Path) -> None:
    child = "version: 1\nextends: base.yaml\nname: faq\nmatrix: {training.seed: null, split.seed: [1]}\n"
    child += "profiles: {one: {matrix: null}}\n"
    path = write(project, base=BASE + MATRIX, recipe=child)

    assert ["seed=1,n_epochs=3", "seed=1,n_epochs=5"] == names(load_recipe(path).combinations)
    assert () == load_recipe(path, "one").combinations


def test_paths_in_the_matrix_of_a_base_are_those_of_its_folder(project: Path) -> None:
    base = f"{BASE}matrix: {{sources.0.path: [a.jsonl, ../b.jsonl], training.model: [./m]}}\n"
    child = "version: 1\nextends: ../common/base.yaml\nname: faq\n"
    loaded = load_recipe(write(project, **{"common/base": base, "recipes/child": child}))

    assert [("../common/a.jsonl", "../common/m"), ("../b.jsonl", "../common/m")] == [
        (each.recipe.sources[0].path, each.recipe.training.model) for each in loaded.combinations
    ]


@pytest.mark.parametrize(
    ("matrix", "found"),
    [
        (
            "training.seed: [1, x]",
            ["18:22: $.training.seed: found 'x', expected an integer from 0 to 2147483647."],
        ),
        ("trainng.seed: [1]", ["18:3: $.trainng: found an unknown key 'trainng'. Did you mean 'training'?"]),
        (
            "sources.4.path: [x]",
            ["18:3: `sources` is a list of 1, which has no '4', expected one of 0."],
        ),
        (
            "training.seed: []",
            ["18:18: $.matrix['training.seed']: found an empty list, expected at least 1. Add one."],
        ),
        (
            "training.seed: 3",
            ["18:18: $.matrix['training.seed']: found 3, expected a list."],
        ),
        (
            "training.seed: [1, 1.0]",
            ["18:18: $.matrix['training.seed']: found a value twice, expected each value once. Remove one."],
        ),
        (
            "training.seed: [1, null]",
            [
                "18:22: $.matrix['training.seed'][1]: found null, expected text or a number or true or "
                "false.",
            ],
        ),
        (
            "a..b: [1]",
            ["18:3: $.matrix['a..b']: found the name 'a..b', expected a dotted path such as training.seed."],
        ),
        ("name: [a, b]", ["18:3: $.matrix.name: found 'name', expected a value that can vary. Remove it."]),
        (
            f"training.seed: {list(range(65))}",
            ["18:3: $.matrix: found 65 combinations, expected at most 64. Leave values out."],
        ),
    ],
)
def test_what_is_no_matrix(project: Path, matrix: str, found: list[str]) -> None:
    path = write(project, recipe=f"{WHOLE}matrix:\n  {matrix}\n")

    assert [f"recipe.yaml:{line}" for line in found] == problems(path)


def test_what_the_matrix_varies_cannot_be_set(project: Path) -> None:
    path = write(project, recipe=WHOLE + MATRIX)
    with pytest.raises(UsageError) as caught:
        load_recipe(path, "default", ["training.seed=3"])

    assert "--set training.seed: the matrix varies it. Choose one value with --only." == str(caught.value)


def test_a_recipe_with_a_matrix_is_no_base_model(project: Path) -> None:
    second = WHOLE.replace("model: tiny-1", "model: {recipe: recipe.yaml}").replace("name: faq", "name: two")
    path = write(project, recipe=WHOLE + MATRIX, second=second)

    assert [
        "second.yaml:14:19: $.training.model.recipe: found 4 combinations in recipe.yaml, expected one run. "
        "Build on a profile of it that says `matrix: null` and states the values."
    ] == problems(path)
