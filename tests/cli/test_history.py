"""The list of past runs, as a user sees it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

LISTS = (
    ("history", "faq.yaml"),
    ("files", "list", "--provider", "fake"),
    ("models", "list", "--provider", "fake"),
)


def test_runs_are_listed_with_why_they_were_made(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    hosted.job_status = "failed"
    call("run", recipe, "--yes")
    outcome = call("history", recipe)

    assert [
        "PROFILE  ATTEMPT  JOB      STATUS     MODEL   FINE-TUNED MODEL  TOKENS  WHY",
        "default  1        ftjob-2  failed     base-1                            "
        "replace because n_epochs 2 → 3",
        "default  1        ftjob-1  succeeded  base-1  ft:base-1:org::1  1,700   new",
    ] == [line[21:] for line in outcome.out.splitlines()]


def test_a_job_from_another_machine_is_kept_when_it_is_replaced(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    call("run", recipe, "--yes")
    next((recipe.parent / ".finetune" / "history").iterdir()).unlink()
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    call("run", recipe, "--yes")
    runs = call("history", recipe, "--json").data["runs"]

    assert [("ftjob-2", "replace because n_epochs 2 → 3"), ("ftjob-1", "in the lockfile before")] == [
        (run["job"]["id"], run["reason"]) for run in runs
    ]


def test_a_run_that_does_nothing_is_not_listed_twice(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    call("run", recipe, "--yes")

    assert 1 == len(call("history", recipe, "--json").data["runs"])


def test_runs_are_chosen_by_profile_and_number(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text() + "profiles:\n  more:\n    training:\n      seed: 5\n")
    call("run", recipe, "--yes")
    call("run", recipe, "--yes", "--profile", "more")
    more = call("history", recipe, "--profile", "more", "--json").data["runs"]
    last = call("history", recipe, "--limit", "1", "--json").data["runs"]

    assert ["ftjob-2"] == [run["job"]["id"] for run in more] == [run["job"]["id"] for run in last]


def test_what_a_provider_says_cannot_drive_the_terminal(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    path = next((recipe.parent / ".finetune" / "history").iterdir())
    path.write_text(path.read_text().replace("succeeded", "\\u001b[2J"))

    assert "\x1b" not in call("history", recipe).out


def test_a_recipe_that_never_ran_has_no_runs(call: Call, recipe: Path) -> None:
    recipe.write_text(
        recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    )

    assert "no runs so far\n" == call("history", recipe).out


def test_lists_are_not_wider_than_the_terminal(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that have no place stand below, behind the first one again."""
    call("run", recipe, "--yes")
    for module in ("history", "resources"):
        monkeypatch.setattr(f"runner.cli.{module}.terminal_width", lambda: 48)
    lists = [call(*words).out for words in LISTS]

    assert [] == [line for text in lists for line in text.splitlines() if len(line) > 48]
    assert [
        "WHEN                 PROFILE  ATTEMPT  JOB",
        "WHEN                 STATUS     MODEL",
        "WHEN                 FINE-TUNED MODEL  TOKENS",
        "WHEN                 WHY",
    ] == [line for line in lists[0].splitlines() if line.startswith("WHEN")]
