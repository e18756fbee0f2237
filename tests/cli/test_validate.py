"""`finetune validate` with several recipes, as a hook calls it."""

from pathlib import Path

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


def other(recipe: Path, name: str, before: str, after: str) -> Path:
    """A second recipe beside the first, with one change."""
    path = recipe.with_name(name)
    assert before in recipe.read_text()
    path.write_text(recipe.read_text().replace(before, after))
    return path


def test_several_recipes_are_valid(call: Call, recipe: Path, hosted: FakeHost) -> None:
    second = other(recipe, "second.yaml", "name: faq", "name: second")
    outcome = call("validate", recipe, second)

    assert (0, "") == (outcome.code, outcome.err)
    assert ["faq.yaml: valid", "second.yaml: valid"] == [
        line.partition(" (")[0] for line in outcome.out.splitlines()
    ]


def test_the_problems_of_all_are_said_at_once(call: Call, recipe: Path, hosted: FakeHost) -> None:
    first = other(recipe, "first.yaml", "key: id", "kye: id")
    second = other(recipe, "second.yaml", "{{ question }}", "{{ qustion }}")
    outcome = call("validate", first, recipe, second, "none.yaml")

    assert (1, "") == (outcome.code, outcome.out)
    assert ["first.yaml:5:1", "second.yaml:12:16", "none.yaml"] == [
        line.partition(": ")[0] for line in outcome.err.splitlines()
    ]
    assert "none.yaml: not found. Give the path of a recipe file." == outcome.err.splitlines()[-1]


def test_lockfiles_beside_recipes_are_left_out(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """A pattern such as recipes/*.yaml names them too; one that stands alone was meant."""
    lock = recipe.with_name("faq.lock.yaml")
    lock.write_text("created_by: finetune-runner 0.1.0\nlockfile_version: 1\nruns: {}\n")
    for command in ("validate", "fmt", "check"):
        assert (command, 0) == (command, call(command, lock, recipe).code)

    outcome = call("validate", lock)
    assert (
        1,
        "faq.lock.yaml: found a lockfile, which `finetune run` writes, expected a recipe. "
        "Name the one beside it.\n",
    ) == (outcome.code, outcome.err)


def test_json_lists_them_all(call: Call, recipe: Path, hosted: FakeHost) -> None:
    second = other(recipe, "second.yaml", "name: faq", "name: second")
    one, two = call("validate", recipe, "--json").data, call("validate", recipe, second, "--json").data

    assert [("faq.yaml", "faq"), ("second.yaml", "second")] == [
        (item["file"], item["recipe"]) for item in two["recipes"]
    ]
    assert (["ok", "recipes"], two["recipes"][0]) == (sorted(two), one["recipes"][0])
    assert ("faq", one["recipes"][0]["sha256"]) == (one["recipe"], one["sha256"])


STOPPING = "  options: {early_stopping_patience: 2, load_best_model_at_end: false}\n"


def test_stopping_early_without_a_validation_file_is_refused_where_it_stands(
    call: Call, local_recipe: Path
) -> None:
    local_recipe.write_text(local_recipe.read_text() + STOPPING)
    outcome = call("validate", local_recipe)

    assert (1, "") == (outcome.code, outcome.out)
    assert (
        "faq.yaml:20:38: $.training.options.early_stopping_patience: found an option that compares epochs by "
        "the validation file, but split.validation is 0. Set it to 0.1 or so, or remove it.\n" == outcome.err
    )

    local_recipe.write_text(f"{local_recipe.read_text()}split: {{validation: 0.5}}\n")
    assert 0 == call("validate", local_recipe).code


def test_stopping_early_is_refused_by_plan_where_no_record_was_held_out(
    call: Call, local_recipe: Path
) -> None:
    local_recipe.write_text(f"{local_recipe.read_text()}{STOPPING}split: {{validation: 0.001}}\n")
    outcome = call("plan", local_recipe)

    assert (1, "") == (outcome.code, outcome.out)
    assert (
        "faq.yaml:20:38: $.training.options.early_stopping_patience: found an option that compares epochs by "
        "the validation file, but no record fell on that side. Raise split.validation, add records, or "
        "remove it.\n" == outcome.err
    )
