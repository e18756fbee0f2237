"""The card of a tuned model, as the hub's own library reads it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.lock.evaluation import LockedCandidate, LockedEvaluation, LockedScore
from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.sharing.card import model_card
from runner.sharing.record import JobRecord, at_step
from tests.fakes import make_dataset
from tests.small_project import write_project

MODEL = "ft:name:local:faq:1"
SCORE = LockedScore(mean=0.75, low=0.5, high=0.9, n=8)
EVALUATION = LockedEvaluation(
    questions="9" * 64,
    n_questions=8,
    left_out=0,
    graders="8" * 64,
    answers="7" * 64,
    candidates={
        "base_model": LockedCandidate(failures=0, model="x", scores={"exact": replace(SCORE, mean=0.25)}),
        "tuned": LockedCandidate(failures=0, model=MODEL, scores={"exact": SCORE}),
    },
)


@pytest.fixture
def loaded(project: Path) -> LoadedRecipe:
    recipe = write_project(project)
    recipe.write_text(recipe.read_text().replace("model: base-1", "model: owner/name@v1"))
    return load_recipe(recipe)


@pytest.fixture
def run(tmp_path: Path) -> LockedRun:
    job = LockedJob(
        id="ftjob-1",
        provider="local",
        model="owner/name@v1",
        model_revision="a" * 40,
        method="supervised",
        digest="d" * 64,
        attempt=1,
        seed=0,
        status="succeeded",
        requested={"n_epochs": 2},
        fine_tuned_model=MODEL,
    )
    return LockedRun(
        recipe_sha256="1" * 64,
        sections={},
        sources=(),
        templates=(),
        n_records=12,
        index="b" * 64,
        training_file=LockedFile(file=make_dataset(tmp_path / "datasets").training_file),
        job=job,
        evaluation=EVALUATION,
    )


def metadata(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def test_a_folder_of_the_project_is_no_model_of_the_hub(
    loaded: LoadedRecipe, run: LockedRun, record: JobRecord
) -> None:
    """However much its place looks like one."""
    (loaded.folder / "owner" / "name@v1").mkdir(parents=True)

    assert ["library_name", "pipeline_tag", "tags", "model-index"] == list(
        metadata(model_card(loaded, run, record, "adapter"))
    )


def test_programs_read_base_and_scores(loaded: LoadedRecipe, run: LockedRun, record: JobRecord) -> None:
    card = model_card(loaded, run, record, "adapter")

    assert {
        "base_model": "owner/name",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["finetune-runner", "supervised"],
        "model-index": [
            {
                "name": "faq",
                "results": [
                    {
                        "task": {"type": "text-generation"},
                        "dataset": {"type": "recipe", "name": "faq", "revision": "9" * 16},
                        "metrics": [{"type": "exact", "name": "exact", "value": 0.75}],
                    }
                ],
            }
        ],
    } == metadata(card)


def test_the_hubs_library_takes_it(loaded: LoadedRecipe, run: LockedRun, record: JobRecord) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    data = hub.ModelCard(model_card(loaded, run, record, "adapter")).data

    assert ("owner/name", "peft", 0.75) == (
        data.base_model,
        data.library_name,
        data.eval_results[0].metric_value,
    )


def test_people_read_how_it_was_made_and_what_it_answers(
    loaded: LoadedRecipe, run: LockedRun, record: JobRecord
) -> None:
    card = model_card(loaded, run, record, "merged")

    assert f"Made from `owner/name@v1` at commit `{'a' * 40}`, tuned by a recipe" in card
    assert f"| commit | `{'c' * 40}` |\n" in card
    assert "| n_epochs | 2 |\n" in card
    assert "| train_loss | 0.2500 | 2 |\n" in card
    assert (
        "| tuned | exact | 0.750 | 0.500 to 0.900 | 8 |\n"
        "| base_model | exact | 0.250 | 0.500 to 0.900 | 8 |\n" in card
    )
    assert "finetune" == metadata(card)["base_model_relation"]


def test_another_models_evaluation_is_none_of_it(
    loaded: LoadedRecipe, run: LockedRun, record: JobRecord
) -> None:
    assert run.job is not None
    card = model_card(
        loaded, replace(run, job=replace(run.job, fine_tuned_model="ft:other")), record, "adapter"
    )

    assert "None of this model is locked." in card
    assert "model-index" not in metadata(card)


def test_names_cannot_write_markdown(loaded: LoadedRecipe, run: LockedRun, record: JobRecord) -> None:
    hostile = replace(record, tags={"recipe": "a|b`c<img src=x onerror=y>[d](javascript:1)\n# e\x1b[31m"})
    card = model_card(loaded, run, hostile, "adapter")

    (line,) = [line for line in card.splitlines() if line.startswith("| recipe |")]
    assert "<img" not in card
    assert "a\\|b'c&lt;img src=x onerror=y&gt;\\[d](javascript:1)" in line
    assert "\x1b" not in card


def test_a_checkpoint_has_its_own_figures(loaded: LoadedRecipe, run: LockedRun, record: JobRecord) -> None:
    assert run.job is not None
    asked = {
        **EVALUATION.candidates,
        "step-1": LockedCandidate(failures=0, model="ft:1", scores={"exact": SCORE}),
    }
    asked["tuned"] = replace(asked["tuned"], scores={"exact": replace(SCORE, mean=0.5)})
    run = replace(run, job=replace(run.job, fine_tuned_model="ft:1"))
    of_step = at_step(replace(record, settings={**record.settings, "trained_tokens": 9}), 1, "ft:1")
    card = model_card(
        loaded, replace(run, evaluation=replace(EVALUATION, candidates=asked)), of_step, "model"
    )

    assert 0.75 == metadata(card)["model-index"][0]["results"][0]["metrics"][0]["value"]
    assert "(supervised). This is the checkpoint of step 1, not the final model.\n" in card
    assert "| checkpoint_step | `1` |\n| checkpoint | `ft:1` |\n" in card
    assert "| train_loss | 1.5000 | 1 |\n" in card
    assert "| step-1 | exact | 0.750 |" in card
    assert "trained_tokens" not in card
