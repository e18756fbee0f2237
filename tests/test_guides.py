"""What README and guides tell a reader to type and to write works as it stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from runner.cli.main import finetune, run
from runner.recipe.yaml import parse_yaml
from runner.schema import violations

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMPOSITION = (ROOT / "docs" / "guides" / "composition.md").read_text(encoding="utf-8")
RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "example",
    "sources": [{"path": "data.jsonl"}],
    "fields": {"question": "question"},
    "template": {"messages": [{"role": "user", "content": "{{ question }}"}]},
    "training": {"model": "tiny-1"},
}


def commands(page: Path) -> Iterator[str]:
    """The lines to type in a page, without what they are joined to in a shell."""
    text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
    typed = re.findall(r"^\$ (?:[A-Z_]+=\S+ )*(finetune .*)$|`(finetune [a-z][^`\n]*)`", text, re.M)
    for console, inline in typed:
        yield re.split(r" +# | \| | [<>] | && ", console or inline)[0].rstrip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_can_be_typed(page: Path) -> None:
    """Commands and options are as the program has them; words in capitals stand for something."""
    wrong = []
    for line in commands(page):
        name, *rest = shlex.split(line)[1:] or [""]
        command = finetune.get_command(click.Context(finetune), name)
        while isinstance(command, click.Group) and rest and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        known = {option for each in command.params for option in each.opts} if command else set()
        given = [word.partition("=")[0] for word in rest if re.match("--[a-z]", word)]
        wrong += [line] if command is None or set(given) - known - {"--help"} else []

    assert [] == wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_piece_of_a_recipe_is_valid(page: Path) -> None:
    wrong = []
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M):
        document, problems = parse_yaml(block.encode(), page.name)
        value = document.value if document else None
        if isinstance(value, dict) and set(value) & set(RECIPE):
            extends = value.pop("extends", None) is not None
            found = violations("recipe", {**RECIPE, **value})
            # What extends another recipe may leave out what that one has, and take away.
            bare = [each for each in found if each.missing or "found null" in each.message]
            wrong += [*problems, *(each for each in found if not (extends and each in bare))]

    assert [] == wrong


@pytest.fixture
def composed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The two files of the guide on composition."""
    for name, text in re.findall(r"^`(\S+)`:\n\n```yaml\n(.*?)^```", COMPOSITION, re.S | re.M):
        file = project / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.chdir(project)
    return project


def said(start: str) -> tuple[list[str], str]:
    """A command of the guide on composition, and what it is said to answer."""
    found = re.search(rf"^\$ finetune ({start}.*)\n((?s:.*?))^(?:```|\$)", COMPOSITION, re.M)
    assert found
    return shlex.split(found[1]), found[2]


def test_the_guide_shows_what_render_prints(composed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, answer = said("render")

    assert 0 == run(command)
    assert answer == capsys.readouterr().out


def test_the_guide_shows_how_problems_are_reported(
    composed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, answer = said("validate recipes")
    for file, right, wrong in (
        ("recipes/faq.yaml", "name: faq", "name: FAQ"),
        ("recipes/faq.yaml", "n_epochs: 5", "n_epochs: 500"),
        ("common/base.yaml", "key: id", "key: 3"),
    ):
        text = (composed / file).read_text(encoding="utf-8")
        (composed / file).write_text(text.replace(right, wrong), encoding="utf-8")

    assert 1 == run(command)
    assert answer == capsys.readouterr().err


def test_the_guide_shows_what_a_misspelt_set_gets(
    composed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(composed / "recipes")
    command, answer = said("validate --set")

    assert 1 == run(command)
    assert answer == capsys.readouterr().err
