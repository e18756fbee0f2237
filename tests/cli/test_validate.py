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


def test_json_lists_them_all(call: Call, recipe: Path, hosted: FakeHost) -> None:
    second = other(recipe, "second.yaml", "name: faq", "name: second")
    one, two = call("validate", recipe, "--json").data, call("validate", recipe, second, "--json").data

    assert [("faq.yaml", "faq"), ("second.yaml", "second")] == [
        (item["file"], item["recipe"]) for item in two["recipes"]
    ]
    assert (["ok", "recipes"], two["recipes"][0]) == (sorted(two), one["recipes"][0])
    assert ("faq", one["recipes"][0]["sha256"]) == (one["recipe"], one["sha256"])
