"""Expressions of suppressions are evaluated where records are, and come along with the examples."""

from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.examples.templates import check_templates
from runner.issues import Issue
from tests.examples.conftest import MakeSetting


def checks(*where: str) -> dict[str, object]:
    entries = [{"code": "FT303", "where": text, "reason": "public"} for text in where]
    return {"ignore": [*entries, {"code": "FT304", "records": ["1"], "reason": "public"}]}


def test_an_example_knows_which_expressions_hold(setting: MakeSetting) -> None:
    made = setting(
        [{"title": "a"}, {"title": "b"}, {"title": "c"}], checks=checks("title == 'b'", "title != 'c'")
    )
    expected = [(1,), (0, 1), ()]

    assert expected == [item.ignored for item in made.items() if isinstance(item, Example)]
    confined = read_confined(made.recipe, made.folder, made.project)
    assert expected == [item.ignored for item in confined if isinstance(item, Example)]


def test_an_expression_that_is_wrong_is_a_problem_of_the_recipe(setting: MakeSetting) -> None:
    made = setting([], checks=checks("titel == 'b'"))

    assert [
        (
            ("checks", "ignore", 0, "where"),
            "found the variable 'titel', expected a field. Did you mean 'title'?",
        )
    ] == check_templates(made.recipe, made.folder, made.project)


def test_an_expression_that_says_neither_yes_nor_no_is_an_issue(setting: MakeSetting) -> None:
    made = setting([{"title": "a"}], checks=checks("title"))
    [issue] = made.items()

    assert isinstance(issue, Issue)
    assert (
        "data.json: row 1: $.checks.ignore[0].where: found 'a', expected true or false. "
        "Write a comparison such as `| length > 0`." == str(issue)
    )
