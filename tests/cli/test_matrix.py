"""A recipe with a matrix at a paid provider, as a user sees it."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE, UPLOAD = "POST /fine_tuning/jobs", "POST /files"
KEYS = [f"default[n_epochs={n_epochs},seed={seed}]" for n_epochs in (2, 3) for seed in (1, 2)]
MATRIX = "matrix: {training.hyperparameters.n_epochs: [2, 3], training.seed: [1, 2]}\n"


@pytest.fixture
def grid(recipe: Path, hosted: FakeHost) -> Path:
    recipe.write_text(recipe.read_text() + MATRIX)
    return recipe


def locked(grid: Path) -> dict[str, str]:
    runs = yaml.safe_load(grid.with_name("faq.lock.yaml").read_text())["runs"]
    return {name: run["job"]["status"] for name, run in runs.items()}


def test_a_plan_lists_every_combination_and_a_total(grid: Path, hosted: FakeHost, call: Call) -> None:
    outcome = call("plan", grid)
    as_json = call("plan", grid, "--json").data["plan"]

    assert [
        *(
            f"{number} of 4, faq.yaml [{key[8:-1]}]: fake ({hosted.url}), model base-1"
            for number, key in enumerate(KEYS, start=1)
        ),
        "total price: $2.18 (2 × $0.44 + 2 × $0.65)",
    ] == [line for line in outcome.out.splitlines() if not line.startswith("  ")]
    assert 1 == outcome.out.count("(12 examples): new")
    assert 3 == outcome.out.count("(12 examples): the same file, sent once")
    assert ["total", *KEYS] == list(as_json)
    assert 2.18 == as_json["total"]["usd"]


def test_a_run_makes_one_job_for_each_and_a_second_run_none(grid: Path, hosted: FakeHost, call: Call) -> None:
    done = call("run", grid, "--yes")
    again = call("run", grid, "--yes")
    asked = [
        (job["method"]["supervised"]["hyperparameters"]["n_epochs"], job["seed"])
        for job in hosted.jobs.values()
    ]

    assert (0, 0) == (done.code, again.code), done.err
    assert [(2, 1), (2, 2), (3, 1), (3, 2)] == asked
    assert (1, 4) == (hosted.count(UPLOAD), hosted.count(CREATE))
    assert dict.fromkeys(KEYS, "succeeded") == locked(grid)
    assert ["RUN", *KEYS] == [line.split()[0] for line in done.out.splitlines()]
    assert (
        "faq.lock.yaml: default[n_epochs=3,seed=2]: verified (2 files, 12 records)"
        in call("verify", grid).out
    )


def test_a_combination_that_failed_does_not_stop_the_others(grid: Path, hosted: FakeHost, call: Call) -> None:
    hosted.job_status = "failed"
    assert 4 == call("run", grid, "--yes", "--only", "n_epochs=2", "--only", "seed=2").code
    hosted.job_status = "succeeded"
    done = call("run", grid, "--yes")

    assert 4 == done.code
    assert {**dict.fromkeys(KEYS, "succeeded"), KEYS[1]: "failed"} == locked(grid)
    assert "error: 1 of 4 jobs did not succeed.\nfaq.yaml [n_epochs=2,seed=2]: job ftjob-1 failed" in done.err
    assert 4 == call("plan", grid).code
    assert 0 == call("run", grid, "--yes", "--retry").code
    assert dict.fromkeys(KEYS, "succeeded") == locked(grid)


def test_jobs_that_fail_are_all_named(grid: Path, hosted: FakeHost, call: Call) -> None:
    hosted.job_status = "failed"
    done = call("run", grid, "--yes")

    assert (4, 4) == (done.code, hosted.count(CREATE))
    assert "error: 4 of 4 jobs did not succeed." in done.err
    assert all(f"faq.yaml [{key[8:-1]}]: job ftjob-" in done.err for key in KEYS)


def test_the_budget_is_over_all(grid: Path, hosted: FakeHost, call: Call) -> None:
    said = "error: the 4 jobs would cost $2.18 (2 × $0.44 + 2 × $0.65), above"
    refused = call("run", grid, "--yes", "--max-cost", "1.9")
    grid.write_text(grid.read_text() + "limits: {max_cost_usd: 1.5}\n")
    limited = call("run", grid, "--yes")

    assert (8, 8) == (refused.code, limited.code)
    assert refused.err.endswith(f"{said} --max-cost of $1.9. Nothing was sent.\n")
    assert limited.err.endswith(f"{said} `limits.max_cost_usd` of $1.5. Nothing was sent.\n")
    assert 0 == hosted.count(CREATE)
    assert 0 == call("run", grid, "--yes", "--only", "seed=1").code


def test_one_unknown_price_stops_all(grid: Path, hosted: FakeHost, call: Call) -> None:
    grid.write_text(grid.read_text().replace(MATRIX, "matrix: {training.model: [base-1, base-priceless]}\n"))
    refused = call("run", grid, "--yes")

    assert 8 == refused.code
    assert "error: the price of base-priceless at fake is not known, which is not zero." in refused.err
    assert 0 == hosted.count(CREATE)
    assert (
        "total price: unknown ($0.44 for faq.yaml [model=base-1] + an unknown price for"
        in call("plan", grid).out
    )


def test_an_accepted_unknown_price_hides_no_known_one(grid: Path, hosted: FakeHost, call: Call) -> None:
    grid.write_text(grid.read_text().replace(MATRIX, "matrix: {training.model: [base-1, base-priceless]}\n"))
    refused = call("run", grid, "--yes", "--allow-unknown-price", "--max-cost", "0.4")

    assert (8, 0) == (refused.code, hosted.count(CREATE))
    assert refused.err.endswith(
        "error: the 2 jobs would cost at least $0.44 ($0.44 for faq.yaml [model=base-1] + an unknown price "
        "for faq.yaml [model=base-priceless]), above --max-cost of $0.4. Nothing was sent.\n"
    )


def test_only_chooses_for_every_command(grid: Path, hosted: FakeHost, call: Call) -> None:
    chosen = ("--only", "n_epochs=3", "--only", "seed=1")
    assert 0 == call("run", grid, "--yes", *chosen).code

    assert {KEYS[2]: "succeeded"} == locked(grid)
    assert "Nothing to do" in call("plan", grid, *chosen).out
    assert 0 == call("verify", grid, *chosen).code
    assert 6 == call("verify", grid).code
    assert "status            succeeded" not in call("status", grid).out
    assert "succeeded" in call("status", grid, *chosen).out
    assert {KEYS[0]: None, KEYS[1]: None} == call("status", grid, "--only", "n_epochs=2", "--json").data[
        "runs"
    ]
    assert 0 == call("watch", grid, *chosen).code
    assert 0 == call("events", grid, *chosen).code


@pytest.mark.parametrize("command", ["chat", "watch", "events", "cancel"])
def test_commands_about_one_run_name_the_combinations(
    grid: Path, hosted: FakeHost, call: Call, command: str
) -> None:
    refused = call(command, grid, *(["Hi"] if command == "chat" else []))

    assert (2, "") == (refused.code, refused.out)
    assert (
        "error: faq.yaml has 4 combinations: 'n_epochs=2,seed=1', 'n_epochs=2,seed=2', 'n_epochs=3,seed=1', "
        "'n_epochs=3,seed=2'. Choose one, such as --only n_epochs=2 --only seed=1.\n" == refused.err
    )


def test_a_saved_plan_keeps_what_was_chosen(grid: Path, hosted: FakeHost, call: Call) -> None:
    call("plan", grid, "--only", "seed=2", "--out", "plan.json")
    refused = call("run", "plan.json", "--yes", "--only", "seed=1")
    done = call("run", "plan.json", "--yes")

    assert (2, 0) == (refused.code, done.code), done.err
    assert dict.fromkeys([KEYS[1], KEYS[3]], "succeeded") == locked(grid)


def test_render_expands_on_request(grid: Path, hosted: FakeHost, call: Call) -> None:
    expanded = call("render", grid, "--only", "seed=2").out
    one = call("render", grid, "--only", "seed=2", "--only", "n_epochs=3", "--no-origin").out

    assert "training.seed" in call("render", grid).out
    assert ["# n_epochs=2,seed=2", "# n_epochs=3,seed=2"] == [
        line for line in expanded.splitlines() if line.startswith("#")
    ]
    assert "  seed: 2                           # matrix, faq.yaml:20" in expanded
    assert "  seed: 2" in one.splitlines()
    assert 2 == call("render", grid, "--only", "seed=2", "--no-origin").code


def test_combinations_share_the_recipe_they_build_on(grid: Path, hosted: FakeHost, call: Call) -> None:
    second = grid.with_name("second.yaml")
    grid.write_text(grid.read_text().replace(MATRIX, ""))
    second.write_text(
        "version: 1\nextends: faq.yaml\nname: second\ntraining: {model: {recipe: faq.yaml}}\n"
        "matrix: {training.seed: [1, 2]}\n"
    )
    done = call("run", second, "--yes")

    assert 0 == done.code, done.err
    assert ["base-1", "ft:base-1:org::1", "ft:base-1:org::1"] == [
        job["model"] for job in hosted.jobs.values()
    ]
    assert "1 of 3, faq.yaml: fake" in done.err


def test_a_locked_run_refuses_drift_in_any(grid: Path, hosted: FakeHost, call: Call) -> None:
    assert 0 == call("run", grid, "--yes").code
    assert 0 == call("plan", grid, "--locked").code
    grid.write_text(grid.read_text().replace("[2, 3]", "[2, 4]"))
    refused = call("run", grid, "--yes", "--locked")

    assert 6 == refused.code
    assert "faq.lock.yaml has no run for the profile 'default[n_epochs=4,seed=1]'." in refused.err


def test_diff_shows_a_change_of_the_matrix(grid: Path, hosted: FakeHost, call: Call) -> None:
    other = grid.with_name("other.yaml")
    other.write_text(grid.read_text().replace("[2, 3]", "[2, 4]"))
    shown = call("diff", grid, other)

    assert 0 == shown.code, shown.err
    assert "matrix.training.hyperparameters.n_epochs" in shown.out
