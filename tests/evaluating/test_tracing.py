"""An answer leads back to the record it was trained from."""

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("bm25s", reason="bm25s (the extra `evaluation`) is not installed")

from runner.dataset.inputs import find_sources
from runner.errors import RunnerError
from runner.evaluating.questions import read_all
from runner.evaluating.tracing import trace
from runner.evaluation.retrieval import NearestRecords
from runner.operator import Operator
from runner.pipeline import validate
from tests.small_project import write_project

RECIPES = Path(__file__).parents[2] / "recipes"
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


def half(text: str) -> str:
    return text[: len(text) // 2]


def with_gaps(text: str) -> str:
    """Every tenth character is missing."""
    return "".join(character for number, character in enumerate(text) if number % 10 != 9)


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ["online_guide", "product_faq", "support_chats"])
def test_a_trained_answer_names_its_record_first(name: str) -> None:
    """At least 99 of 100, damaged ones too; an answer that two records share may name either."""
    loaded = validate(RECIPES / f"{name}.yaml", Operator())
    find_sources(loaded)
    examples = read_all(loaded, loaded.recipe.sources)
    nearest = NearestRecords(examples)
    answers = [example.messages[-1].content for example in examples]

    assert len(examples) > 30
    for changed in (str, half, with_gaps, without_spaces):
        found = [nearest.find(changed(answer), 1) for answer in answers]
        first = [near[0].example.messages[-1].content if near else None for near in found]
        n_right = sum(answer == other for answer, other in zip(answers, first, strict=True))
        assert n_right >= 0.99 * len(examples), changed.__name__


@pytest.fixture
def recipe(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    recipe = write_project(project)
    recipe.write_text(
        recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    )
    return recipe


def commit(message: str) -> str:
    subprocess.run([*GIT, "add", "-A"], check=True)
    subprocess.run([*GIT, "commit", "-qm", message], check=True)
    head = subprocess.run([*GIT, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return head.stdout.strip()


def test_a_row_is_told_with_its_own_commit(recipe: Path) -> None:
    subprocess.run([*GIT, "init", "-q"], check=True)
    first = commit("Add the questions")
    with recipe.with_name("faq.jsonl").open("a") as stream:
        stream.write('{"id": "new", "question": "환불은 언제 되나요?", "answer": "사흘 안에 환불됩니다."}\n')
    second = commit("Answer about refunds")
    new, *_ = trace("언제 환불", recipe, Operator(environment={"PATH": "/usr/bin:/bin"}), 1)
    old, *_ = trace("Answer 3", recipe, Operator(environment={"PATH": "/usr/bin:/bin"}), 1)

    assert ("new", 13) == (new.near.example.key, new.near.example.row)
    assert [(second, "Answer about refunds", True), (first, "Add the questions", True)] == [
        (found.commit and found.commit.sha, found.commit and found.commit.subject, found.commit_is_of_row)
        for found in (new, old)
    ]


def test_nothing_leads_nowhere(recipe: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        trace(" \n", recipe, Operator(), 3)

    assert "there is nothing to look for. Give a question or an answer." == str(caught.value)
