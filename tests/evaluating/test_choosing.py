"""Whom an evaluation asks, and the one that the others are compared with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.dataset.value import DatasetFile
from runner.errors import RunnerError, UsageError
from runner.evaluating.choosing import choose_candidates
from runner.evaluating.wanted import Wanted
from runner.evaluation.candidates import Candidate
from runner.lock.lockfile import LockedCheckpoint, LockedFile, LockedJob, LockedRun
from runner.operator import Operator
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.model import Evaluation
from tests.small_project import write_model_folder, write_project

SECTION = Evaluation(graders=(), baselines=("base_model", "retrieval"))
TUNED = Candidate(name="tuned", provider="fake", model="ft:1", tuned_from="base-1")
BASELINES = [Candidate(name="base_model", provider="fake", model="base-1"), Candidate(name="retrieval")]


@pytest.fixture
def loaded(project: Path) -> LoadedRecipe:
    return load_recipe(write_project(project), "default")


def locked(model: str | None) -> LockedRun:
    """A run of the lockfile; without a model its job failed."""
    kept = LockedCheckpoint(id="c-10", model="ft:0", step=10)
    job = LockedJob(
        id="ftjob-1",
        provider="fake",
        model="base-1",
        method="supervised",
        digest="0" * 64,
        attempt=1,
        seed=1,
        status="succeeded" if model else "failed",
        requested={},
        fine_tuned_model=model,
        checkpoints=(kept,) if model else (),
    )
    return LockedRun(
        recipe_sha256="1" * 64,
        sections={},
        sources=(),
        templates=(),
        n_records=12,
        index="2" * 64,
        training_file=LockedFile(
            file=DatasetFile(sha256="3" * 64, n_examples=12, size_bytes=1, n_tokens=1, tokens_exact=True)
        ),
        job=job,
    )


def choose(loaded: LoadedRecipe, model: str | None = "ft:1", **wanted: Any) -> list[Candidate]:
    return choose_candidates(loaded, SECTION, locked(model), Wanted(**wanted), Operator())


def test_the_tuned_model_is_compared_with_all_others(loaded: LoadedRecipe) -> None:
    checkpoint = Candidate(name="step-10", provider="fake", model="ft:0", tuned_from="base-1")
    other = Candidate(name="gpt-x", provider="openai", model="gpt-x")

    assert [TUNED, *BASELINES] == choose(loaded)
    assert [TUNED, checkpoint, other, *BASELINES] == choose(
        loaded, checkpoint="all", models=("gpt-x",), provider="openai"
    )


def test_alone_means_neither_the_tuned_model_nor_baselines(loaded: LoadedRecipe) -> None:
    assert [Candidate(name="base-0", provider="fake", model="base-0")] == choose(
        loaded, models=("base-0",), alone=True
    )


@pytest.mark.parametrize(("model", "asked"), [("tiny-1", "tiny-1"), ("./models/base", "models/base")])
def test_before_a_training_baselines_are_asked_where_it_would_be(
    loaded: LoadedRecipe, model: str, asked: str
) -> None:
    write_model_folder(loaded.folder / "models" / "base")
    text = loaded.path.read_text().replace("provider: fake", "provider: local")
    loaded.path.write_text(text.replace("model: base-1", f"model: {model}"))
    other = Candidate(name="tiny-0", provider="local", model="tiny-0")
    base = Candidate(name="base_model", provider="local", model=asked)

    assert [other, base, Candidate(name="retrieval")] == choose_candidates(
        load_recipe(loaded.path), SECTION, None, Wanted(models=("tiny-0",)), Operator()
    )


@pytest.mark.parametrize(
    ("model", "known", "asked"),
    [
        ("./models/base", {"model_sha256": "4" * 64}, "models/base"),
        ("owner/name@main", {"model_revision": "a" * 40}, f"owner/name@{'a' * 40}"),
    ],
)
def test_the_base_is_asked_as_it_was_trained_from(
    loaded: LoadedRecipe, model: str, known: dict[str, str], asked: str
) -> None:
    """Relative paths start at the recipe, where the host knows the project; branches of the hub move."""
    run = locked("ft:1")
    assert run.job is not None
    run = replace(run, job=replace(run.job, provider="local", model=model, **known))
    found = choose_candidates(loaded, SECTION, run, Wanted(), Operator())

    assert Candidate(name="base_model", provider="local", model=asked) == found[1]


def test_without_any_model_it_says_what_makes_one(loaded: LoadedRecipe) -> None:
    with pytest.raises(RunnerError) as caught:
        choose(loaded, model=None)

    assert (
        f"there is no tuned model under the profile 'default' yet. {loaded.command('run')} makes one; "
        "--model asks another." == str(caught.value)
    )


def test_a_recipe_without_a_model_says_what_makes_one(loaded: LoadedRecipe) -> None:
    path = loaded.folder / "faq.yaml"
    with pytest.raises(RunnerError) as caught:
        choose(loaded, models=(str(path),))

    assert f"{path} has no tuned model yet. {loaded.command('run')} makes one." == str(caught.value)


def test_two_of_one_name_could_not_be_told_apart(loaded: LoadedRecipe) -> None:
    with pytest.raises(UsageError) as caught:
        choose(loaded, models=("base-0", "base-0", "tuned"))

    assert "'tuned', 'base-0' would be asked twice under one name; expected each name once." == str(
        caught.value
    )
