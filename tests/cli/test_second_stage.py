"""A recipe that trains another's result further, at a paid provider, as a user sees it."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE = "POST /fine_tuning/jobs"
SECOND = """\
version: 1
extends: faq.yaml
name: second
training:
  model: {recipe: faq.yaml}
  seed: 4
"""


@pytest.fixture
def second(recipe: Path, hosted: FakeHost) -> Path:
    path = recipe.with_name("second.yaml")
    path.write_text(SECOND)
    return path


def models(hosted: FakeHost) -> list[str]:
    return [job["model"] for job in hosted.jobs.values()]


def test_both_plans_are_shown_in_the_order_of_the_run(second: Path, hosted: FakeHost, call: Call) -> None:
    outcome = call("plan", second)

    assert [
        f"1 of 2, faq.yaml: fake ({hosted.url}), model base-1",
        f"2 of 2, second.yaml: fake ({hosted.url}), the result of faq.yaml",
        "total price: $2.17 ($0.44 for faq.yaml + $1.73 for second.yaml)",
    ] == [line for line in outcome.out.splitlines() if not line.startswith("  ")]
    assert "base" in call("plan", second, "--json").data["plan"]


def test_a_run_runs_the_other_recipe_first_and_only_once(second: Path, hosted: FakeHost, call: Call) -> None:
    first = call("run", second, "--yes")
    again = call("run", second, "--yes")
    lock = yaml.safe_load(second.with_name("second.lock.yaml").read_text())["runs"]["default"]["job"]
    other = yaml.safe_load(second.with_name("faq.lock.yaml").read_text())["runs"]["default"]["job"]

    assert (0, 0) == (first.code, again.code), first.err
    assert ["base-1", "ft:base-1:org::1"] == models(hosted)
    assert {"recipe": "faq.yaml", "profile": "default", "digest": other["digest"]} == lock["base"]
    assert "ft:base-1:org::1" == lock["model"]
    assert "Nothing to do" in again.out
    assert "Nothing to do" in call("plan", second.with_name("faq.yaml")).out


def test_a_change_in_the_other_recipe_is_the_reason(second: Path, hosted: FakeHost, call: Call) -> None:
    call("run", second, "--yes")
    other = second.with_name("faq.yaml")
    other.write_text(f"{other.read_text()}  suffix: x\n")

    assert "  + create job: replace because suffix none → x" in call("plan", second).out
    reason = "replace because suffix none → x; the result of faq.yaml changed (suffix none → x)"
    assert f"  + create job: {reason}" in call("plan", second).out
    call("run", other, "--yes")
    assert "suffix none → x; the result of faq.yaml changed\n" in call("plan", second).out


def test_the_digest_does_not_know_the_others_id(second: Path, hosted: FakeHost, call: Call) -> None:
    """A colleague whose first stage has another ID gets the same digest."""
    call("run", second, "--yes")
    before = call("plan", second, "--json").data["plan"]["digest"]
    lock = second.with_name("faq.lock.yaml")
    lock.write_text(lock.read_text().replace("ftjob-1", "ftjob-7").replace("org::1", "org::7"))

    assert before == call("plan", second, "--json").data["plan"]["digest"]


def test_the_budget_is_over_both(second: Path, hosted: FakeHost, call: Call) -> None:
    refused = call("run", second, "--yes", "--max-cost", "1.9")
    second.write_text(f"{SECOND}limits: {{max_cost_usd: 1.92}}\n")
    limited = call("run", second, "--yes")

    said = "error: the 2 jobs would cost $2.17 ($0.44 for faq.yaml + $1.73 for second.yaml), above"
    assert (8, 8) == (refused.code, limited.code)
    assert refused.err.endswith(f"{said} --max-cost of $1.9. Nothing was sent.\n")
    assert limited.err.endswith(f"{said} `limits.max_cost_usd` of $1.92. Nothing was sent.\n")
    assert 0 == hosted.count(CREATE)


def test_a_failed_first_stage_ends_the_run(second: Path, hosted: FakeHost, call: Call) -> None:
    hosted.job_status = "failed"
    failed = call("run", second, "--yes")
    planned = call("plan", second)

    assert (4, 1) == (failed.code, hosted.count(CREATE))
    assert 4 == planned.code
    assert "job ftjob-1 failed and nothing it depends on changed." in planned.out
    assert not second.with_name("second.lock.yaml").exists()

    hosted.job_status = "succeeded"
    assert 0 == call("run", second, "--yes", "--retry").code


def test_both_have_to_be_at_one_provider(second: Path, hosted: FakeHost, call: Call) -> None:
    other = second.with_name("faq.yaml")
    second.write_text(SECOND.replace("seed: 4", "provider: fake"))
    other.write_text(other.read_text().replace("fake", "local").replace("base-1", "tiny-1"))

    refused = call("validate", second)

    assert 1 == refused.code
    assert (
        "second.yaml:5:10: $.training.model: found the result of faq.yaml at the provider 'local', "
        "expected one at 'fake', where this recipe trains: a tuned model stays where it was made. Name one "
        "provider in both, or a profile of the other that does.\n"
    ) == refused.err


def test_diff_shows_the_recipe_that_is_built_on(second: Path, hosted: FakeHost, call: Call) -> None:
    third = second.with_name("third.yaml")
    third.write_text(SECOND.replace("  model: {recipe: faq.yaml}\n", ""))
    call("run", second, "--yes")
    outcome = call("diff", third, second)
    locked = call("diff", second.with_name("second.lock.yaml"), second)

    assert 0 == outcome.code, outcome.err
    assert "  + training.model.recipe: faq.yaml" in outcome.out.splitlines()
    assert "training.model" not in locked.out


def test_lock_check_says_what_it_leaves_to_verify(second: Path, hosted: FakeHost, call: Call) -> None:
    call("run", second, "--yes")
    outcome = call("lock-check", second)

    assert 0 == outcome.code, outcome.err
    assert [
        "second.lock.yaml: default: not compared, the result of faq.yaml; "
        f"`finetune verify {second}` compares it",
        "second.lock.yaml: default: the rest is as locked",
    ] == outcome.out.splitlines()
