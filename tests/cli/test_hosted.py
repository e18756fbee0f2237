"""The whole way at a paid provider, as a user sees it."""

import os
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE, UPLOAD = "POST /fine_tuning/jobs", "POST /files"


def test_plan_says_what_it_costs_and_sends_nothing(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("plan", recipe, "--detailed-exitcode")

    assert 5 == outcome.code
    assert [
        f"fake ({hosted.url}), model base-1",
        "  note: fake: no new jobs from 2027-01-06",
        "  + upload training_file faq-e38bd63974795f07.jsonl (12 examples): new",
        "  + create job: new",
        "  price: $0.44 (216 tokens (estimated, ±30 %) × 2 epochs × $1000 per million tokens "
        "(table of 2026-11-22), rounded up)",
    ] == outcome.out.splitlines()
    assert [] == hosted.requests


def test_a_paid_job_needs_a_yes(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("run", recipe)

    assert 1 == outcome.code
    assert outcome.err.endswith("error: a paid job needs a confirmation: pass --yes. Nothing was sent.\n")
    assert [] == hosted.requests


def test_a_run_locks_its_result_and_a_second_one_does_nothing(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    first = call("run", recipe, "--yes")
    sent = len(hosted.requests)
    second = call("run", recipe, "--yes")
    lock = yaml.safe_load(recipe.with_name("faq.lock.yaml").read_text())["runs"]["default"]

    assert (0, 0) == (first.code, second.code)
    assert (1, 1) == (hosted.count(UPLOAD), hosted.count(CREATE))
    assert sent == len(hosted.requests)
    assert second.out.endswith("Nothing to do: ft:base-1:org::1 is up to date.\n")
    assert ("ftjob-1", "succeeded", "ft:base-1:org::1", 1700) == tuple(
        lock["job"][name] for name in ("id", "status", "fine_tuned_model", "trained_tokens")
    )
    assert {"requested", "resolved"} == set(lock["job"]["hyperparameters"])
    assert "file-1" == lock["dataset"]["training_file"]["file_id"]


def test_a_changed_record_trains_again_and_says_why(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    data = recipe.with_name("faq.jsonl")
    data.write_text(data.read_text().replace("It is number 3.", "It is three."))
    outcome = call("plan", recipe)

    assert (
        "  + create job: replace because faq.jsonl changed (example: 1 changed)" in outcome.out.splitlines()
    )


@pytest.mark.parametrize("fault", ["drop", 500, "drop_before"])
@pytest.mark.parametrize("request_name", [UPLOAD, CREATE])
def test_a_lost_answer_never_pays_twice(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    request_name: str,
    fault: str | int,
) -> None:
    """A 500 here comes before acting and a drop after; either way a re-run ends with one job."""
    monkeypatch.setattr("runner.execution.run.LOOKUP_DELAYS", (0.0, 0.0))
    hosted.faults = {request_name: [fault]}
    codes = [call("run", recipe, "--yes").code, call("run", recipe, "--yes").code]

    assert 0 == codes[-1]
    assert (1, 1) == (len(hosted.files), len(hosted.jobs))


def test_another_recipe_that_asks_for_the_same_job_takes_it(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    """Equal data and settings are one job, whatever the recipes are called."""
    call("run", recipe, "--yes")
    other = recipe.with_name("other.yaml")
    other.write_text(recipe.read_text().replace("name: faq", "name: other"))
    outcome = call("run", other, "--yes")

    assert 0 == outcome.code, outcome.err
    assert "Found ftjob-1, created before" in outcome.err
    assert 1 == len(hosted.jobs)
    assert 0 == call("plan", other, "--detailed-exitcode").code


def test_a_failed_job_is_reported_and_retried_only_when_asked(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    hosted.job_status = "failed"
    hosted.job_error = {
        "code": "invalid_training_file",
        "message": "Example 3 is odd",
        "param": "training_file",
    }
    first, second = call("run", recipe, "--yes"), call("run", recipe, "--yes")
    hosted.job_status, hosted.job_error = "succeeded", None
    retried = call("run", recipe, "--yes", "--retry")

    assert (4, 4, 0) == (first.code, second.code, retried.code)
    assert first.err.endswith(
        "error: job ftjob-1 failed: invalid_training_file: Example 3 is odd\n"
        f"`finetune events {recipe}` shows what happened; `finetune run {recipe} --retry` starts a new "
        "attempt.\n"
        "Example 3 → line 3 of the training file (faq.jsonl: row 3), or line 4 (faq.jsonl: row 4) if the "
        "provider counts from 0\n"
    )
    assert (
        "error: job ftjob-1 failed and nothing it depends on changed. "
        f"`finetune events {recipe}` says why; `finetune run {recipe} --retry` starts a new attempt.\n"
    ) == second.err
    assert 2 == len(hosted.jobs)


def test_a_price_above_the_budget_is_refused(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text() + "limits:\n  max_cost_usd: 0.3\n")
    outcome = call("run", recipe, "--yes")

    assert 8 == outcome.code
    assert "above `limits.max_cost_usd` of $0.3. Nothing was sent." in outcome.err
    assert [] == hosted.requests


def test_an_unknown_price_is_refused_unless_accepted(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text().replace("base-1", "base-priceless"))
    refused, accepted = call("run", recipe, "--yes"), call("run", recipe, "--yes", "--allow-unknown-price")

    assert (8, 0) == (refused.code, accepted.code)
    assert (
        "error: the price of base-priceless at fake is not known, which is not zero. "
        "Add it to a host entry of your own, or accept it with --allow-unknown-price.\n"
    ) == refused.err


def test_a_model_that_is_gone_is_refused(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text().replace("base-1", "base-0"))
    outcome = call("run", recipe, "--yes", "--allow-unknown-price")

    assert 1 == outcome.code
    assert outcome.err.startswith("error: base-0 was shut down on 2025-01-01. Choose another model;")


def test_a_missing_key_names_its_variable(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAKE_API_KEY")
    outcome = call("run", recipe, "--yes")

    assert 1 == outcome.code
    assert (
        "error: fake needs a key: the environment variable FAKE_API_KEY is not set. "
        "Set it, or train on this machine, with `provider: local`.\n"
    ) == outcome.err[outcome.err.index("error:") :]


def test_a_key_never_reaches_the_state_folder(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    written = [
        path for path in recipe.parent.rglob("*") if path.is_file() and b"sk-test" in path.read_bytes()
    ]

    assert [] == written


def test_job_commands_take_a_recipe_or_a_job(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    by_recipe = call("status", recipe, "--json")
    by_job = call("status", "ftjob-1", "--provider", "fake", "--json")
    jobs = call("jobs", "--provider", "fake")

    assert by_recipe.data == by_job.data
    assert "ft:base-1:org::1" == by_recipe.data["job"]["fine_tuned_model"]
    assert jobs.out.splitlines()[1].startswith("ftjob-1  succeeded  2026-11-")


def test_cancelling_is_sent_again_after_a_lost_answer(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """The second request is refused, because the first one did it."""
    hosted.job_status = "running"
    job = hosted.add_job({"model": "base-1", "training_file": "file-1"})["id"]
    hosted.faults = {f"POST /fine_tuning/jobs/{job}/cancel": ["drop"]}
    outcome = call("cancel", job, "--provider", "fake")

    assert (0, f"{job}: cancelled\n") == (outcome.code, outcome.out), outcome.err
    assert 2 == hosted.count(f"POST /fine_tuning/jobs/{job}/cancel")


def test_files_that_were_deleted_before_a_refusal_are_named(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    call("run", recipe, "--yes")
    outcome = call("files", "delete", "file-1", "file-7", "file-8", "--provider", "fake")

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.endswith("\nDeleted before that: file-1.\n")


def test_a_suffix_that_the_host_refuses_is_found_early(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text() + "  suffix: much-too-long-for-this-host\n")
    outcome = call("validate", recipe)

    assert (
        "faq.yaml:20:11: $.training.suffix: found 27 characters, fake takes at most 18. Shorten it.\n"
    ) == outcome.err


def test_a_saved_plan_runs_as_it_was_planned(call: Call, recipe: Path, hosted: FakeHost) -> None:
    planned = call("plan", recipe, "--out", recipe.parent / "plan.json")
    ran = call("run", recipe.parent / "plan.json", "--yes")

    assert (0, 0) == (planned.code, ran.code)
    assert 1 == len(hosted.jobs)


def test_a_saved_plan_is_refused_when_something_moved(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("plan", recipe, "--out", recipe.parent / "plan.json")
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    outcome = call("run", recipe.parent / "plan.json", "--yes")

    assert (
        6,
        "error: the saved plan is out of date: digest, price, steps changed since. Nothing was sent. "
        "Plan again and look at what it says now.\n",
    ) == (outcome.code, outcome.err)
    assert [] == hosted.requests


@pytest.mark.parametrize("content", ["[]", "{", "[" * 100_000])
def test_a_file_that_is_no_plan_is_refused(call: Call, recipe: Path, hosted: FakeHost, content: str) -> None:
    other = recipe.parent / "other.json"
    other.write_text(content)
    outcome = call("run", other)

    assert (1, f"error: {other}: not a saved plan. Make one with `finetune plan --out {other}`.\n") == (
        outcome.code,
        outcome.err,
    )


def test_a_plan_says_what_would_stop_a_run(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """With the exit code that the run would have."""
    recipe.write_text(recipe.read_text() + "limits:\n  max_cost_usd: 0.3\n")
    planned, data = call("plan", recipe), call("plan", recipe, "--json")

    assert (8, 8) == (planned.code, data.code)
    assert "a run would stop here: the job would cost $0.44" in planned.err
    assert data.data["refused"].endswith("above `limits.max_cost_usd` of $0.3. Nothing was sent.")


def test_a_plan_is_never_saved_over_something_else(call: Call, recipe: Path, hosted: FakeHost) -> None:
    before = recipe.read_text()
    outcome = call("plan", recipe, "--out", recipe)

    assert (1, before) == (outcome.code, recipe.read_text())
    assert outcome.err.endswith("exists and is not a saved plan. Name another file with --out.\n")


def test_a_linked_state_folder_is_refused(
    call: Call, recipe: Path, hosted: FakeHost, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A repository could bring one that leads out of the project."""
    (recipe.parent / ".finetune").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    outcome = call("build", recipe)

    assert 1 == outcome.code
    assert ".finetune: found a link, expected a folder of the project's own. Remove it.\n" in outcome.err


def test_usage_errors_are_json_when_asked(call: Call, recipe: Path) -> None:
    outcome = call("jobs", "--limit", "0", "--json")

    assert (2, False) == (outcome.code, outcome.data["ok"])


def test_a_wrong_host_entry_is_named_by_file_and_key(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    entry.write_text(entry.read_text().replace("paid = true", 'paid = "yes"'))
    outcome = call("plan", recipe)

    assert (1, f"{entry}: $.paid: found 'yes', expected true or false.\n") == (outcome.code, outcome.err)


def test_a_file_too_large_for_the_host_is_refused_before_it_is_sent(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    entry.write_text(entry.read_text().replace("max_file_bytes = 536870912", "max_file_bytes = 1000"))
    planned, ran = call("plan", recipe), call("run", recipe, "--yes")
    refusal = (
        "the training file has 1,240 bytes, fake takes at most 1,000. Train on fewer or shorter examples. "
        "Nothing was sent.\n"
    )

    assert (1, 1) == (planned.code, ran.code)
    assert planned.err.endswith(f"a run would stop here: {refusal}")
    assert f"error: {refusal}" == ran.err
    assert [] == hosted.requests


def test_a_file_too_large_for_one_request_goes_in_parts(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.execution.parts.PART_BYTES", 500)
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    limits = "max_file_bytes = 1000\nmax_upload_bytes = 2000"
    entry.write_text(entry.read_text().replace("max_file_bytes = 536870912", limits))
    outcome = call("run", recipe, "--yes")

    assert 0 == outcome.code, outcome.err
    assert (0, 3) == (hosted.count(UPLOAD), hosted.count("POST /uploads/upload-1/parts"))
    assert [1_240] == [file["bytes"] for file in hosted.files.values()]
    assert "file-1" == hosted.jobs["ftjob-1"]["training_file"]


def test_a_lost_completion_is_found_again(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.execution.parts.PART_BYTES", 500)
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    limits = "max_file_bytes = 1000\nmax_upload_bytes = 2000"
    entry.write_text(entry.read_text().replace("max_file_bytes = 536870912", limits))
    hosted.faults["POST /uploads/upload-1/complete"] = ["drop"]
    outcome = call("run", recipe, "--yes")

    assert 0 == outcome.code, outcome.err
    assert (1, 1) == (hosted.uploads.total(), len(hosted.jobs))


def test_a_key_that_cannot_be_one_names_its_variable(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "sk-tëst")
    outcome = call("jobs", "--provider", "fake")

    assert (
        1,
        "error: the key in FAKE_API_KEY has a space, a line end or a letter that no key has. "
        "Copy it again.\n",
    ) == (outcome.code, outcome.err)


def test_a_refused_job_names_the_hosts_dates_and_other_ways(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    hosted.faults = {CREATE: ["403 You do not have permission to create fine-tuning jobs."]}
    outcome = call("run", recipe, "--yes")

    assert 1 == outcome.code
    assert outcome.err.endswith(
        "error: fake answered HTTP 403: You do not have permission to create fine-tuning jobs.\n"
        "fake is known for: no new jobs from 2027-01-06. If that is the reason, train elsewhere: "
        "with `provider: local` on this machine, or under the profile that `finetune port RECIPE --to HOST` "
        "writes.\n"
    )


def test_a_list_that_goes_on_says_so(call: Call, recipe: Path, hosted: FakeHost) -> None:
    for number in range(3):
        hosted.add_job({"model": "base-1", "training_file": f"file-{number}"})
    cut, whole = call("jobs", "--provider", "fake", "--limit", "2"), call("jobs", "--provider", "fake")
    data = call("jobs", "--provider", "fake", "--limit", "2", "--json").data

    assert ("There are more than these 2; --limit shows more.\n", "") == (cut.err, whole.err)
    assert (["ftjob-3", "ftjob-2"], True) == ([job["id"] for job in data["jobs"]], data["has_more"])


def test_a_misspelt_model_is_asked_about_before_anything_is_sent(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    recipe.write_text(recipe.read_text().replace("base-1", "base-priceles"))
    planned = call("plan", recipe)

    assert 8 == planned.code
    assert (
        "  note: fake: no model 'base-priceles' in its host entry. Did you mean 'base-priceless'?\n"
    ) in planned.out
    assert planned.err.endswith(
        "a run would stop here: the price of base-priceles at fake is not known, which is not zero. "
        "Did you mean 'base-priceless'? If not, add it to a host entry of your own, or accept it with "
        "--allow-unknown-price.\n"
    )


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (
            {"GET /fine_tuning/jobs": ["interrupt"]},
            "interrupted; nothing was sent for faq.yaml. `finetune run {recipe}` starts again.",
        ),
        (
            {"GET /fine_tuning/jobs": [None, "interrupt"]},
            "interrupted before the job was created. Files that reached fake stay there and are used again. "
            "`finetune run {recipe}` goes on.",
        ),
        (
            {CREATE: ["interrupt"]},
            "interrupted while the job was being created at fake, so it may exist. `finetune run {recipe}` "
            "looks for it before anything is sent again.",
        ),
        (
            {"GET /fine_tuning/jobs/ftjob-1": ["interrupt"]},
            "interrupted; job ftjob-1 goes on. `finetune watch {recipe}` attaches again, "
            "`finetune cancel {recipe}` stops it.",
        ),
    ],
)
def test_ctrl_c_says_what_was_sent(
    call: Call, recipe: Path, hosted: FakeHost, faults: dict[str, list[str | None]], said: str
) -> None:
    hosted.faults = dict(faults)
    outcome = call("run", recipe, "--yes")

    assert 130 == outcome.code
    assert outcome.err.endswith(f"error: {said.format(recipe=recipe)}\n")


def test_watching_needs_no_sources(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """And asks the provider that has the job, whatever the recipe says by now."""
    hosted.faults = {"GET /fine_tuning/jobs/ftjob-1": ["interrupt"]}
    call("run", recipe, "--yes")
    recipe.with_name("faq.jsonl").unlink()
    recipe.write_text(recipe.read_text().replace("provider: fake", "provider: openai"))
    watched = call("watch", recipe, "--json")
    lock = yaml.safe_load(recipe.with_name("faq.lock.yaml").read_text())["runs"]["default"]

    assert (0, "succeeded", "ft:base-1:org::1") == (
        watched.code,
        watched.data["run"]["status"],
        watched.data["run"]["fine_tuned_model"],
    )
    assert "succeeded" == lock["job"]["status"]
    assert 0 == call("status", recipe).code


def test_a_blamed_example_is_traced_only_while_it_is_as_it_was_sent(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    hosted.job_status = "failed"
    hosted.job_error = {"code": "invalid_training_file", "message": "Flagged lines: 2, 12", "param": None}
    hosted.faults = {"GET /fine_tuning/jobs/ftjob-1": ["interrupt"]}
    call("run", recipe, "--yes")
    data = recipe.with_name("faq.jsonl")
    data.write_text(data.read_text().replace("It is number 2.", "It is two."))
    watched = call("watch", recipe)

    assert 4 == watched.code
    assert [
        "Example 2 → line 2 of the training file (faq.jsonl: row 2), or line 3 if the provider counts from 0",
        "Example 12 → line 12 of the training file (faq.jsonl: row 12)",
    ] == watched.err.splitlines()[-2:]


def test_a_job_that_vanishes_says_what_happened(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.faults = {"GET /fine_tuning/jobs/ftjob-1": [404]}
    outcome = call("run", recipe, "--yes")

    assert 1 == outcome.code
    assert outcome.err.endswith(
        "error: job ftjob-1 is not known at fake any more: it was deleted there, or belongs to another key "
        f"or project. `finetune plan {recipe}` says what is left to do.\n"
    )


def test_a_retry_of_a_success_is_refused(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    outcome = call("run", recipe, "--yes", "--retry")

    assert (
        2,
        "error: job ftjob-1 succeeded; --retry starts a new attempt of a failed or cancelled one. "
        "Leave it out.\n",
    ) == (outcome.code, outcome.err)
    assert 1 == len(hosted.jobs)


def test_a_saved_plan_has_its_own_profile(call: Call, recipe: Path, hosted: FakeHost) -> None:
    saved = recipe.parent / "plan.json"
    call("plan", recipe, "--out", saved)
    outcome = call("run", saved, "--profile", "other", "--yes")

    assert (2, f"error: {saved} was planned under the profile 'default'. Leave --profile out.\n") == (
        outcome.code,
        outcome.err,
    )


def test_jobs_of_what_is_no_recipe_are_refused(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("jobs", "nope")

    assert (2, "error: found no recipe nope. Name a recipe, or a provider with --provider.\n") == (
        outcome.code,
        outcome.err,
    )


@pytest.mark.parametrize(
    "command",
    [
        ("cancel",),
        ("events",),
        ("export", "out"),
        ("promote", "production"),
        ("refresh",),
        ("rerun",),
        ("status",),
        ("track", "--to", "tensorboard"),
        ("watch",),
    ],
    ids=lambda command: command[0],
)
def test_a_recipe_that_was_never_run_is_no_mistake_on_the_command_line(
    call: Call, recipe: Path, hosted: FakeHost, command: tuple[str, ...]
) -> None:
    outcome = call(*command, "faq.yaml")

    assert (
        1,
        "",
        "error: no job was started under the profile 'default'. `finetune run faq.yaml` starts one.\n",
    ) == (outcome.code, outcome.out, outcome.err)


def test_advice_repeats_the_profile(call: Call, recipe: Path, hosted: FakeHost) -> None:
    recipe.write_text(recipe.read_text() + "profiles:\n  big:\n    training:\n      seed: 7\n")
    outcome = call("cancel", recipe, "--profile", "big")

    assert (
        1,
        f"error: no job was started under the profile 'big'. `finetune run {recipe} --profile big` starts "
        "one.\n",
    ) == (outcome.code, outcome.err)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("succeeded", 1, "error: job ftjob-1 succeeded.\n"),
        ("failed", 4, "error: job ftjob-1 failed: server_error: it broke\n"),
    ],
)
def test_a_lockfile_that_cannot_be_written_hides_no_result(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    code: int,
    said: str,
) -> None:
    hosted.job_status = status
    hosted.job_error = {"code": "server_error", "message": "it broke", "param": None}
    hosted.faults = {"GET /fine_tuning/jobs/ftjob-1": ["interrupt"]}
    call("run", recipe, "--yes")

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.running.state.write_lockfile", refuse)
    outcome = call("watch", recipe)

    assert code == outcome.code
    assert said in outcome.err
    assert outcome.err.endswith(
        "faq.lock.yaml could not be written: No space left on device. Repair that, then "
        f"`finetune watch {recipe}` locks the result.\n"
    )


def test_tokens_counted_for_another_model_are_not_this_ones(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    assert 0 == call("run", recipe, "--yes").code
    lock = recipe.with_name("faq.lock.yaml")
    value = yaml.safe_load(lock.read_text())
    value["runs"]["default"]["dataset"]["training_file"] |= {
        "tokens": 77,
        "tokens_exact": True,
        "token_counter": "x",
    }
    lock.write_text(yaml.safe_dump(value))
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    same = call("plan", recipe).out
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    entry.write_text(entry.read_text().replace('"base-1"', '"base-2"'))
    recipe.write_text(recipe.read_text().replace("base-1", "base-2"))
    other = call("plan", recipe).out

    assert "(77 tokens × 3 epochs × " in same
    assert "tokens (estimated, ±30 %) × 3 epochs × " in other
