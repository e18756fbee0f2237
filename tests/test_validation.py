"""A recipe found right before is not looked at again, unless a file of its own may have changed."""

from pathlib import Path

import pytest

import runner.examples.problems
from runner.errors import InvalidInputError
from runner.operator import Operator
from runner.validation import validate
from tests.small_project import RECIPE, write_project

OWN = RECIPE.replace("provider: fake", "provider: local").replace("base-1", "tiny-1")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first content of each recipe that was looked at."""
    found: list[str] = []
    look = runner.examples.problems.recipe_problems

    def noted(recipe, *rest):
        message = recipe.templates[0].messages[0]
        found.append(message.content or message.content_file)
        return look(recipe, *rest)

    monkeypatch.setattr("runner.examples.problems.recipe_problems", noted)
    return found


def test_a_recipe_is_looked_at_once_and_again_when_it_changed(tmp_path: Path, looked_at: list[str]) -> None:
    path = write_project(tmp_path, OWN)
    for text in (OWN, OWN + "# a comment\n", OWN.replace("{{ question }}", "Q: {{ question }}"), OWN):
        path.write_text(text)
        validate(path, Operator())

    assert ["{{ question }}", "Q: {{ question }}"] == looked_at


def test_what_is_wrong_is_said_every_time(tmp_path: Path) -> None:
    path = write_project(tmp_path, OWN.replace("{{ question }}", "{{ questoin }}"))
    said = []
    for _ in range(2):
        with pytest.raises(InvalidInputError) as caught:
            validate(path, Operator())
        said += [issue.message for issue in caught.value.issues]

    expected = "found the variable 'questoin', expected a field. Did you mean 'question'?"
    assert [expected, expected] == said


@pytest.mark.parametrize("content", ["content_file: asks.j2", "content: \"{% include 'asks.j2' %}\""])
def test_a_template_in_a_file_is_looked_at_every_time(
    tmp_path: Path, looked_at: list[str], content: str
) -> None:
    path = write_project(tmp_path, OWN.replace('content: "{{ question }}"', content))
    template = tmp_path / "asks.j2"
    template.write_text("{{ question }}")
    validate(path, Operator())
    template.write_text("{{ nothing }}")

    with pytest.raises(InvalidInputError) as caught:
        validate(path, Operator())
    assert "found the variable 'nothing', expected a field." in caught.value.issues[0].message
    assert 2 == len(looked_at)


def test_other_code_looks_again(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_project(tmp_path, OWN)
    validate(path, Operator())
    monkeypatch.setattr("runner.validation.__version__", "0.2.0")
    validate(path, Operator())

    assert 2 == len(looked_at)
