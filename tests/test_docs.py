"""The reference says what the code says."""

import re
from pathlib import Path

import pytest

from runner import errors
from runner.cli.commands import COMMANDS
from runner.cli.main import BUG, INTERRUPTED, USAGE
from runner.cli.recipes import CHANGES_PENDING
from runner.errors import RunnerError
from runner.recipe.parse import parse_recipe
from runner.recipe.yaml import parse_yaml
from runner.schema import violations
from runner.sources.check import check_sources
from runner.sources.extras import EXTRAS
from runner.sources.formats import FORMATS, SUFFIXES
from runner.sources.sqlite import FUNCTIONS
from runner.sources.unpack import ALWAYS_UNPACKED_BYTES, COMPRESSIONS, MAX_RATIO, MAX_UNPACKED_BYTES
from scripts.make_reference import FOLDER, pages

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", pages())
def test_generated_pages_are_current(name: str) -> None:
    """`make docs` writes them again."""
    assert pages()[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_every_exit_code_is_documented() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    raised = {kind.exit_code for kind in classes if issubclass(kind, RunnerError)}
    text = (FOLDER / "exit-codes.md").read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)}

    assert {0, *raised, BUG, INTERRUPTED, USAGE, CHANGES_PENDING} == documented


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [] == [name for name in COMMANDS if f"`{name}`" not in text and f"finetune {name}" not in text]


def test_sources_are_documented() -> None:
    """Every format, suffix, option, function of SQLite and limit of downloads."""
    text = (FOLDER / "sources.md").read_text(encoding="utf-8")
    words = [*FORMATS, *SUFFIXES, *COMPRESSIONS, *FUNCTIONS, *(f"[{extra}]" for extra, _ in EXTRAS.values())]
    words += ["--source", "--allow-path", "--max-unpacked", "--allow-network"]

    assert [] == [word for word in words if word not in text]
    assert (200, 8 << 30, 64 << 20) == (MAX_RATIO, MAX_UNPACKED_BYTES, ALWAYS_UNPACKED_BYTES)


def test_examples_of_sources_are_valid() -> None:
    text = (FOLDER / "sources.md").read_text(encoding="utf-8")
    documents = [
        parse_yaml(block.encode(), "sources.md")[0]
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.S | re.M)
    ]
    blocks = [document.value for document in documents if document]
    rest = {
        "version": 1,
        "name": "example",
        "fields": {"title": "title"},
        "template": {"messages": [{"role": "user", "content": "{{ title }}"}]},
        "training": {"model": "tiny-1"},
    }
    recipes = [{**rest, **block} for block in blocks]

    assert 3 == len(recipes)
    assert [] == [problem for recipe in recipes for problem in violations("recipe", recipe)]
    assert [] == [problem for recipe in recipes for problem in check_sources(parse_recipe(recipe))]


def test_decisions_are_numbered_one_by_one() -> None:
    """By their files and headings alike."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    headings = [page.read_text(encoding="utf-8").split("\n")[0] for page in pages]

    assert [f"{number:04}" for number in range(1, len(pages) + 1)] == [page.name[:4] for page in pages]
    assert [] == [
        text
        for number, text in enumerate(headings, start=1)
        if not re.match(rf"# {number}\. \S.*[^.]$", text)
    ]


def test_the_changelog_is_in_groups_and_short_lines() -> None:
    """As Keep a Changelog asks for, each change once."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = [" ".join(entry.split()) for entry in re.findall(r"^- (.*?)(?=^- |^#|\Z)", text, re.M | re.S)]
    groups = re.findall(r"^### (.*)$", text, re.M)

    assert [] == [line for line in text.split("\n") if len(line) > 120]
    assert len(set(entries)) == len(entries)
    assert {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"} >= set(groups)


def test_links_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")

    assert [] == broken
