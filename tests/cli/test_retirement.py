"""`status --check-retirement` fails ahead of time, without asking anybody."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

NOW = 1_795_305_600.0  # 2026-11-22


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.clock.SystemClock.now", lambda self: NOW)


@pytest.fixture
def openai(recipe: Path, hosted: FakeHost) -> Path:
    text = recipe.read_text().replace("provider: fake", "provider: openai")
    recipe.write_text(text.replace("base-1", "gpt-4o-2024-08-06"))
    return recipe


def test_a_closing_within_the_days_exits_with_7(call: Call, openai: Path) -> None:
    outcome = call("status", "--check-retirement", "60d")

    assert 7 == outcome.code
    assert [
        "faq.yaml: gpt-4o-2024-08-06 at openai takes no new jobs from 2027-01-06, in 45 days",
        "faq.yaml: gpt-4o-2024-08-06 at openai shuts down on 2027-01-14, in 53 days",
        "  `finetune port faq.yaml --to azure` keeps method, n_epochs; gpt-4o-2024-08-06 is trained there "
        "until 2027-04-01",
    ] == outcome.out.splitlines()[:3]
    assert (
        "error: base models of 1 recipe are closed within 60 days, 2027-01-06 the first.\n"
    ) == outcome.err


def test_none_within_the_days_is_said(call: Call, openai: Path, hosted: FakeHost) -> None:
    outcome = call("status", openai, "--check-retirement", "6w")

    assert (0, "no known base model of 1 recipe is closed within 42 days\n") == (outcome.code, outcome.err)
    assert [] == hosted.requests


def test_programs_get_the_dates(call: Call, openai: Path) -> None:
    outcome = call("status", "--check-retirement", "50", "--json")

    assert (7, False) == (outcome.code, outcome.data["ok"])
    assert ["2027-01-06"] == [closing["on"] for closing in outcome.data["closings"]]


def test_days_are_a_number(call: Call, openai: Path) -> None:
    outcome = call("status", "--check-retirement", "soon")

    assert 2 == outcome.code
    assert "'soon' is no number of days. Write 60d or 8w." in outcome.err


def test_a_locked_result_is_found_under_a_recipe_that_went_on(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    """The tuned model in use goes with the base that it was made of."""
    call("run", recipe, "--yes")
    lock = recipe.with_name("faq.lock.yaml")
    lock.write_text(lock.read_text().replace("model: base-1\n", "model: base-0\n", 1))
    assert "base-0" == yaml.safe_load(lock.read_text())["runs"]["default"]["job"]["model"]
    outcome = call("status", recipe, "--check-retirement", "60d")

    assert 7 == outcome.code
    assert "faq.lock.yaml (default): base-0 at fake shuts down on 2025-01-01, 690 days ago\n" == outcome.out
