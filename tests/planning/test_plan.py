"""What a run would do, and the reasons it gives."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from runner.planning.changes import section_hashes
from runner.planning.plan import Situation, make_plan
from runner.planning.value import CreateJob, Plan, ReuseFile, Upload, WatchJob
from runner.price import estimated_epochs, locked_price, price_of, retirement
from runner.providers.hosts import find_host
from runner.recipe.model import Hyperparameters, Recipe, Split, Training
from tests.fakes import make_dataset, make_recipe

LOCAL, OPENAI = find_host("local"), find_host("openai")
TODAY = date(2026, 11, 22)


def situation(**changes: Any) -> Situation:
    return replace(Situation(host=LOCAL, today=TODAY), **changes)


def lock(recipe: Recipe, dataset: Any, plan: Plan, **job: Any) -> LockedRun:
    """What a finished run of a plan leaves."""
    training = recipe.training
    values: dict[str, Any] = {
        "id": "ftjob-1",
        "provider": training.provider,
        "model": training.model,
        "method": training.method,
        "digest": plan.digest,
        "attempt": plan.attempt,
        "seed": training.seed,
        "suffix": training.suffix,
        "status": "succeeded",
        "requested": training.hyperparameters.as_dict(),
        "fine_tuned_model": "ft:tiny-1:local:faq:1",
    }
    return LockedRun(
        recipe_sha256=recipe.sha256,
        sections=section_hashes(recipe),
        sources=dataset.sources,
        templates=dataset.templates,
        n_records=dataset.n_records,
        index=dataset.index,
        training_file=LockedFile(file=dataset.training_file, file_id="file-1"),
        job=LockedJob(**{**values, **job}),
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    return make_dataset(tmp_path)


def job_step(plan: Plan) -> CreateJob:
    step = plan.steps[-1]
    assert isinstance(step, CreateJob)
    return step


def test_a_first_run_uploads_and_creates(dataset: Any) -> None:
    recipe = make_recipe()
    plan = make_plan(recipe, dataset, None, situation())

    assert [Upload, CreateJob] == [type(step) for step in plan.steps]
    assert ("new", 1) == (job_step(plan).reason, job_step(plan).attempt)
    assert 0.0 == plan.price.usd


def test_a_finished_run_leaves_nothing_to_do(dataset: Any) -> None:
    recipe = make_recipe()
    done = lock(recipe, dataset, make_plan(recipe, dataset, None, situation()))
    plan = make_plan(recipe, dataset, done, situation())

    assert () == plan.steps
    assert plan.result == done.job


def test_a_description_does_not_make_a_new_job(dataset: Any) -> None:
    recipe = make_recipe()
    done = lock(recipe, dataset, make_plan(recipe, dataset, None, situation()))

    assert () == make_plan(replace(recipe, description="For us."), dataset, done, situation()).steps


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hyperparameters": Hyperparameters(n_epochs=4)}, "replace because n_epochs auto → 4"),
        ({"seed": 2, "suffix": None}, "replace because seed 1 → 2; suffix faq → none"),
        ({"model": "owner/model"}, "replace because model tiny-1 → owner/model"),
    ],
)
def test_a_changed_setting_makes_a_new_job_and_says_which(
    dataset: Any, changes: dict[str, Any], reason: str
) -> None:
    recipe = make_recipe()
    done = lock(recipe, dataset, make_plan(recipe, dataset, None, situation()))
    changed = replace(recipe, training=replace(recipe.training, **changes))
    plan = make_plan(changed, dataset, done, situation())

    assert [ReuseFile, CreateJob] == [type(step) for step in plan.steps]
    assert "reuse file-1 (same bytes)" == plan.steps[0].reason  # type: ignore[union-attr]
    assert reason == job_step(plan).reason


def test_changed_data_is_explained_by_what_changed(tmp_path: Path, dataset: Any) -> None:
    """The template and the split changed here, and so did the source."""
    recipe = make_recipe()
    done = lock(recipe, dataset, make_plan(recipe, dataset, None, situation()))
    other = make_dataset(tmp_path, b"other\n")
    source = replace(other.sources[0], sha256="c" * 64)
    changed = replace(recipe, split=Split(seed=3))
    plan = make_plan(
        changed, replace(other, sources=(source,)), done, situation(changed_examples="example: 1 changed")
    )

    assert "replace because split changed, faq.jsonl changed (example: 1 changed)" == job_step(plan).reason
    assert "replaces file-1 (other bytes)" == plan.steps[0].reason  # type: ignore[union-attr]


def test_a_model_that_is_elsewhere_is_trained_here(dataset: Any) -> None:
    recipe = make_recipe()
    first = make_plan(recipe, dataset, None, situation())
    plan = make_plan(recipe, dataset, lock(recipe, dataset, first), situation(artefact_present=False))

    assert "train here: ft:tiny-1:local:faq:1 is not on this machine" == job_step(plan).reason
    assert job_step(first).key == job_step(plan).key


def test_a_success_elsewhere_is_not_retried(dataset: Any) -> None:
    """`--retry` is for what ended without a result; here the very same job is made again."""
    recipe = make_recipe()
    first = make_plan(recipe, dataset, None, situation())
    locked = lock(recipe, dataset, first)
    plan = make_plan(recipe, dataset, locked, situation(artefact_present=False, retry=True))

    assert (1, "train here: ft:tiny-1:local:faq:1 is not on this machine") == (
        job_step(plan).attempt,
        job_step(plan).reason,
    )


def test_a_running_job_is_followed(dataset: Any) -> None:
    recipe = make_recipe()
    first = make_plan(recipe, dataset, None, situation())
    plan = make_plan(recipe, dataset, lock(recipe, dataset, first, status="running"), situation())

    assert (WatchJob(job_id="ftjob-1", reason="started before, last running"),) == plan.steps


@pytest.mark.parametrize(("status", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
def test_a_failed_job_is_reported_and_not_replaced_unasked(dataset: Any, status: str, word: str) -> None:
    recipe = make_recipe()
    first = make_plan(recipe, dataset, None, situation())
    failed = lock(recipe, dataset, first, status=status)
    plan = make_plan(recipe, dataset, failed, situation())
    retried = make_plan(recipe, dataset, failed, situation(retry=True))

    assert () == plan.steps
    assert f"job ftjob-1 {word} and nothing it depends on changed." == plan.blocked
    assert (2, f"attempt 2, because ftjob-1 {word}") == (job_step(retried).attempt, job_step(retried).reason)
    assert job_step(first).key != job_step(retried).key


def test_where_metadata_is_not_kept_every_job_has_a_training_file_of_its_own(dataset: Any) -> None:
    """Its name carries the job key, so the same bytes are sent again for another job."""
    forgetful = situation(host=replace(LOCAL, keeps_metadata=False))
    recipe = make_recipe()
    first = make_plan(recipe, dataset, None, forgetful)
    done = lock(recipe, dataset, first)
    changed = replace(recipe, training=replace(recipe.training, seed=2))
    second = make_plan(changed, dataset, done, forgetful)
    sha256 = dataset.training_file.sha256

    assert isinstance(first.steps[0], Upload)
    assert f"faq-{sha256[:16]}-{job_step(first).key[:16]}.jsonl" == first.steps[0].filename
    assert (
        Upload(
            role="training_file",
            file=dataset.training_file,
            filename=f"faq-{sha256[:16]}-{job_step(second).key[:16]}.jsonl",
            reason="the same bytes again, because local keeps no metadata to tell jobs by",
        )
        == second.steps[0]
    )


def test_where_metadata_is_not_kept_the_same_job_reuses_its_file(dataset: Any) -> None:
    forgetful = situation(host=replace(LOCAL, keeps_metadata=False))
    recipe = make_recipe()
    done = lock(recipe, dataset, make_plan(recipe, dataset, None, forgetful))
    again = make_plan(recipe, dataset, done, replace(forgetful, artefact_present=False))

    assert (
        ReuseFile(
            role="training_file",
            file=dataset.training_file,
            filename=f"faq-{dataset.training_file.sha256[:16]}-{job_step(again).key[:16]}.jsonl",
            file_id="file-1",
            reason="reuse file-1 (same bytes)",
        )
        == again.steps[0]
    )


def test_prices_show_their_arithmetic(dataset: Any) -> None:
    training = Training(
        provider="openai", model="gpt-4.1-mini-2025-04-14", hyperparameters=Hyperparameters(n_epochs=3)
    )
    price = price_of(make_recipe(training=training), dataset, OPENAI, OPENAI.model("gpt-4.1-mini-2025-04-14"))

    assert 15.0 == price.usd
    assert (
        "1,000,000 tokens (estimated, ±30 %) × 3 epochs × $5 per million tokens "
        "(table of 2026-11-22, unverified), rounded up"
    ) == price.arithmetic


@pytest.mark.parametrize(
    ("job", "amount", "arithmetic"),
    [
        ({"resolved": {"n_epochs": 2}}, "$10.00", "1,000,000 tokens (estimated, ±30 %) × 2 epochs"),
        ({}, "$40.00", "1,000,000 tokens (estimated, ±30 %) × 8 epochs (auto, estimated)"),
        ({"trained_tokens": 1_600_001}, "$8.01", "1,600,001 trained tokens"),
    ],
)
def test_a_locked_job_has_the_price_of_what_is_known_of_it(
    dataset: Any, job: dict[str, Any], amount: str, arithmetic: str
) -> None:
    recipe = make_recipe()
    plan = make_plan(recipe, dataset, None, situation())
    run = lock(recipe, dataset, plan, **{"requested": {"n_epochs": "auto"}, **job})
    price = locked_price(run, OPENAI, OPENAI.model("gpt-4.1-mini-2025-04-14"))

    table = "table of 2026-11-22, unverified"
    assert f"{amount} ({arithmetic} × $5 per million tokens ({table}), rounded up)" == str(price)


def test_an_unknown_price_is_not_zero(dataset: Any) -> None:
    recipe = make_recipe(training=Training(provider="openai", model="gpt-9"))
    price = price_of(recipe, dataset, OPENAI, None)

    assert price.usd is None
    assert (
        "1,000,000 tokens (estimated, ±30 %) × 8 epochs (auto, estimated) × unknown price" == price.arithmetic
    )


def test_closing_dates_are_said_before_anything_is_sent(dataset: Any) -> None:
    training = Training(provider="openai", model="gpt-4.1-mini-2025-04-14")
    model = OPENAI.model(training.model)
    plan = make_plan(make_recipe(training=training), dataset, None, situation(host=OPENAI, model=model))

    assert (
        "openai: organisations that never fine-tuned cannot create jobs from 2026-05-07",
        "openai: organisations without recent inference on a fine-tuned model cannot create jobs "
        "from 2026-07-02",
        "openai: no new fine-tuning jobs for anyone from 2027-01-06",
        "openai: tunable models and their fine-tunes shut down from 2027-01-14",
        "gpt-4.1-mini-2025-04-14 shuts down on 2027-01-14, in 53 days",
    ) == plan.notices


def test_a_model_that_is_gone_is_said_so() -> None:
    assert "gpt-4.1-nano-2025-04-14 was shut down on 2026-10-23" == retirement(
        OPENAI.model("gpt-4.1-nano-2025-04-14"), TODAY
    )


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 25), (10, 10), (33, 3), (34, 3), (9_000, 2), (60_000, 1)]
)
def test_auto_epochs_follow_the_published_rule(examples: int, epochs: int) -> None:
    assert epochs == estimated_epochs(examples)
