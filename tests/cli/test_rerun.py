"""`rerun`: a new attempt of the locked job, compared with it."""

from pathlib import Path

import pytest
import yaml

from runner.lock.lockfile import LockedRun
from runner.operator import Operator
from runner.providers.base import Job
from runner.recipe.load import LoadedRecipe
from runner.running.following import Console, Followed, follow_job
from runner.running.state import save_run
from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE, UPLOAD = "POST /fine_tuning/jobs", "POST /files"


@pytest.fixture
def locked(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A recipe after its run, named as it would be typed."""
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


def locked_job(recipe: Path) -> dict[str, object]:
    lock = yaml.safe_load(Path("faq.lock.yaml").read_text())
    job: dict[str, object] = lock["runs"]["default"]["job"]
    return job


def test_the_same_result_is_said_and_locked_as_a_new_attempt(
    call: Call, locked: Path, hosted: FakeHost
) -> None:
    hosted.losses = {"ftjob-1": 0.25, "ftjob-2": 0.25}
    outcome = call("rerun", locked, "--yes")

    assert 0 == outcome.code
    assert [
        "ftjob-2 (attempt 2) repeats ftjob-1",
        "same     status                    succeeded",
        "same     batch_size                auto",
        "same     learning_rate_multiplier  auto",
        "same     n_epochs                  2",
        "same     trained tokens            1700",
        "same     final train_loss          0.25",
        "unknown  weights                   not known",
        "the same as far as it can be compared; not known on both sides: weights",
    ] == outcome.out.splitlines()
    assert ("ftjob-2", 2) == (locked_job(locked)["id"], locked_job(locked)["attempt"])
    assert outcome.err.endswith("locked in faq.lock.yaml; `finetune history faq.yaml` has the job before\n")
    assert (1, 2) == (hosted.count(UPLOAD), hosted.count(CREATE))
    assert "Nothing to do: ft:base-1:org::2 is up to date.\n" in call("plan", locked).out


def test_equal_weights_are_the_strongest_word(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.weights = {"platform": "torch-x", "sha256": "1" * 64}
    call("run", recipe, "--yes")
    outcome = call("rerun", recipe, "--yes")

    assert 0 == outcome.code
    assert [f"same  weights of torch-x        {'1' * 64}", "same weights"] == outcome.out.splitlines()[-2:]


def test_weights_of_another_platform_cannot_be_compared_and_are_kept(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    hosted.weights = {"platform": "torch-x", "sha256": "1" * 64}
    call("run", recipe, "--yes")
    hosted.weights = {"platform": "torch-y", "sha256": "2" * 64}
    outcome = call("rerun", recipe, "--yes")

    assert outcome.out.endswith("not known on both sides: weights of torch-y\n")
    assert {"torch-x": "1" * 64, "torch-y": "2" * 64} == locked_job(recipe)["weights"]


def test_what_differs_is_named_and_exits_with_5(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.weights = {"platform": "torch-x", "sha256": "1" * 64}
    call("run", recipe, "--yes")
    hosted.weights, hosted.trained_tokens = {"platform": "torch-x", "sha256": "2" * 64}, 1800
    outcome = call("rerun", recipe, "--yes")

    assert 5 == outcome.code
    assert (
        f"differs: trained tokens 1700 → 1800; weights of torch-x {'1' * 64} → {'2' * 64}"
        == outcome.out.splitlines()[-1]
    )
    assert "ftjob-2" == locked_job(recipe)["id"]


def test_a_rerun_that_fails_leaves_the_lockfile_and_can_be_repeated(
    call: Call, locked: Path, hosted: FakeHost
) -> None:
    before = Path("faq.lock.yaml").read_bytes()
    hosted.job_status = "failed"
    hosted.job_error = {"code": "server_error", "message": "odd", "param": None}
    failed = call("rerun", locked, "--yes")
    unchanged = Path("faq.lock.yaml").read_bytes()
    hosted.job_status, hosted.job_error = "succeeded", None
    again = call("rerun", locked, "--yes")

    assert (4, before) == (failed.code, unchanged)
    assert failed.err.endswith(
        "error: job ftjob-2 failed: server_error: odd\n"
        "`finetune events ftjob-2 --provider fake` shows what happened; `finetune rerun faq.yaml` starts a "
        "new attempt.\n"
    )
    assert (0, "ftjob-3", 3) == (again.code, locked_job(locked)["id"], locked_job(locked)["attempt"])


def test_a_recipe_that_is_not_as_locked_is_refused(call: Call, locked: Path, hosted: FakeHost) -> None:
    locked.write_text(locked.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    outcome = call("rerun", locked, "--yes")

    assert 6 == outcome.code
    assert outcome.err.startswith("error: faq.lock.yaml is stale: job: n_epochs 2 → 3 since it was locked. ")
    assert 1 == hosted.count(CREATE)


def test_a_paid_rerun_needs_a_yes(call: Call, locked: Path, hosted: FakeHost) -> None:
    outcome = call("rerun", locked)

    assert 1 == outcome.code
    assert outcome.err.endswith("error: a paid job needs a confirmation: pass --yes. Nothing was sent.\n")
    assert "+ create job: rerun of ftjob-1 as attempt 2" in outcome.err
    assert 1 == hosted.count(CREATE)


def test_without_a_success_there_is_nothing_to_repeat(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.job_status = "failed"
    call("run", recipe, "--yes")
    outcome = call("rerun", recipe.name, "--yes")

    assert (
        4,
        "error: job ftjob-1 is failed, so there is no result to reproduce. "
        "`finetune run faq.yaml --retry` starts a new attempt.\n",
    ) == (outcome.code, outcome.err)


def test_a_lockfile_that_changed_meanwhile_is_left_alone(
    call: Call, locked: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command locks a newer job while this one follows its own."""
    path = Path("faq.lock.yaml")
    newer = path.read_text().replace("ftjob-1", "ftjob-7")

    def meanwhile(followed: Followed, operator: Operator, console: Console) -> tuple[LockedRun, Job]:
        path.write_text(newer)
        return follow_job(followed, operator, console)

    monkeypatch.setattr("runner.upkeep.rerun.follow_job", meanwhile)
    outcome = call("rerun", locked, "--yes")

    assert newer == path.read_text()
    assert outcome.err.endswith("faq.lock.yaml has another job by now; ftjob-2 was not locked\n")


def test_one_combination_of_a_matrix_is_repeated(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """And what to type next is about the commands that know combinations, and those that do not."""
    recipe.write_text(recipe.read_text() + "matrix:\n  training.seed: [1, 2]\n")
    call("run", recipe.name, "--yes")
    outcome = call("rerun", recipe.name, "--yes", "--only", "seed=2")
    whole = call("history", recipe.name)

    assert 0 == outcome.code
    assert outcome.out.startswith("ftjob-3 (attempt 2) repeats ftjob-2\n")
    assert outcome.err.endswith("locked in faq.lock.yaml; `finetune history faq.yaml` has the job before\n")
    assert ["default[seed=2]", "default[seed=2]", "default[seed=1]"] == [
        line.split()[2] for line in whole.out.splitlines()[1:]
    ]


def test_both_jobs_are_in_the_history(call: Call, locked: Path) -> None:
    call("rerun", locked, "--yes")
    runs = call("history", locked, "--json").data["runs"]

    assert [("ftjob-2", 2, "rerun of ftjob-1 as attempt 2"), ("ftjob-1", 1, "new")] == [
        (run["job"]["id"], run["job"]["attempt"], run["reason"]) for run in runs
    ]


@pytest.mark.parametrize("fault", ["drop", "drop_before", 500])
def test_a_lost_answer_never_pays_twice(
    call: Call, locked: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch, fault: str | int
) -> None:
    monkeypatch.setattr("runner.execution.run.LOOKUP_DELAYS", (0.0, 0.0))
    hosted.faults = {CREATE: [fault]}
    codes = [call("rerun", locked, "--yes").code]
    if codes[-1]:
        codes.append(call("rerun", locked, "--yes").code)

    assert 0 == codes[-1]
    assert ["ftjob-1", "ftjob-2"] == list(hosted.jobs)


@pytest.mark.parametrize("locks", [False, True])
def test_a_rerun_that_was_cut_off_at_its_end_is_told_again(
    call: Call, locked: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch, *, locks: bool
) -> None:
    """Before or after it was locked: the same comparison, and no third job."""

    def cut_off(loaded: LoadedRecipe, run: LockedRun, *, over: str) -> bool:
        if locks:
            save_run(loaded, run, over=over)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("runner.upkeep.rerun.save_run", cut_off)
        first = call("rerun", locked, "--yes")
    second = call("rerun", locked, "--yes")

    assert (130, 0) == (first.code, second.code)
    assert first.out == second.out
    assert second.out.startswith("ftjob-2 (attempt 2) repeats ftjob-1\n")
    assert (2, "ftjob-2") == (len(hosted.jobs), locked_job(locked)["id"])


def test_json_has_every_value_with_its_verdict(call: Call, locked: Path, hosted: FakeHost) -> None:
    hosted.trained_tokens = 1800
    data = call("rerun", locked, "--yes", "--json").data

    assert (False, "ftjob-1", "ftjob-2", 2, False) == tuple(
        data[name] for name in ("ok", "repeated", "job", "attempt", "same_weights")
    )
    assert {"name": "trained tokens", "before": 1700, "after": 1800, "verdict": "differs"} in data["values"]
