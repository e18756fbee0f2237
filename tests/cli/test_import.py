"""`import`: a job made in a dashboard or by a script becomes the recipe's, as what it is."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

NAME = "from-dashboard.jsonl"


def built(call: Call, recipe: Path) -> bytes:
    """The training file of the recipe."""
    assert 0 == call("build", recipe, "--out", "out").code
    return (recipe.parent / "out" / "train.jsonl").read_bytes()


def put_file(host: FakeHost, content: bytes, filename: str = NAME) -> str:
    """Upload a file by other means."""
    file_id = f"file-by-hand-{len(host.files)}"
    host.files[file_id] = {
        "id": file_id,
        "object": "file",
        "bytes": len(content),
        "created_at": 1_795_000_000,
        "filename": filename,
        "purpose": "fine-tune",
        "status": "processed",
    }
    host.contents[file_id] = content
    return file_id


def put_job(host: FakeHost, training_file: str, **changes: Any) -> str:
    """Start a job by other means."""
    values = {"n_epochs": 2, "batch_size": 1, "learning_rate_multiplier": 1.8}
    values |= changes.pop("hyperparameters", {})
    body = {
        "model": "base-1",
        "training_file": training_file,
        "seed": 0,
        "method": {"type": "supervised", "supervised": {"hyperparameters": values}},
        **changes,
    }
    return str(host.add_job(body)["id"])


@pytest.fixture
def ready(call: Call, recipe: Path, hosted: FakeHost) -> tuple[Path, str]:
    """A recipe named as it would be typed, and the ID of an uploaded file with the bytes it builds."""
    file_id = put_file(hosted, built(call, recipe))
    hosted.requests.clear()
    return Path(recipe.name), file_id


def locked() -> dict[str, Any]:
    run: dict[str, Any] = yaml.safe_load(Path("faq.lock.yaml").read_text())["runs"]["default"]
    return run


def test_a_job_that_fits_leaves_nothing_to_do(call: Call, ready: tuple[Path, str], hosted: FakeHost) -> None:
    recipe, file_id = ready
    job = put_job(hosted, file_id)
    outcome = call("import", job, recipe)

    assert (
        0,
        "job               ftjob-1\nstatus            succeeded\nfine-tuned model  ft:base-1:org::1\n",
        "locked under the profile 'default'\n",
    ) == (outcome.code, outcome.out, outcome.err)
    assert "Nothing to do: ft:base-1:org::1 is up to date.\n" in call("plan", recipe).out
    assert 0 == call("verify", recipe, "--remote").code
    assert {"GET"} == {request.split()[0] for request in hosted.requests}
    assert (NAME, file_id) == tuple(
        locked()["dataset"]["training_file"][name] for name in ("filename", "file_id")
    )
    assert {"batch_size": "auto", "learning_rate_multiplier": "auto", "n_epochs": 2} == locked()["job"][
        "hyperparameters"
    ]["requested"]


def test_what_differs_is_listed_and_nothing_is_locked(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, _ = ready
    lines = hosted.contents["file-by-hand-0"].splitlines(keepends=True)
    file_id = put_file(hosted, b"".join(lines[1:]))
    job = put_job(hosted, file_id, model="base-0", seed=7, suffix="mine", hyperparameters={"n_epochs": 5})
    outcome = call("import", job, recipe)

    assert 1 == outcome.code
    assert [
        "error: ftjob-1 is not the job that faq.yaml asks for:",
        "  model: the recipe asks for 'base-1', the job has 'base-0'",
        "  n_epochs: the recipe asks for 2, the job has 5",
        "  seed: the recipe asks for 0, the job has 7",
        "  suffix: the recipe asks for '', the job has 'mine'",
        "  training_file: the recipe builds 1,240 bytes in 12 lines, the job has 1,137 bytes in 11 lines, "
        "and not the same ones",
        "Nothing was locked. Change the recipe, or lock the job as it is with --accept-differences.",
    ] == outcome.err.splitlines()
    assert not Path("faq.lock.yaml").exists()


def test_accepted_differences_are_locked_as_they_are_and_planned_away(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    job = put_job(hosted, file_id, seed=7, hyperparameters={"n_epochs": 5})
    outcome = call("import", job, recipe, "--accept-differences")
    planned, verified = call("plan", recipe), call("verify", recipe)

    assert 0 == outcome.code
    assert [
        "accepted: n_epochs: the recipe asks for 2, the job has 5",
        "accepted: seed: the recipe asks for 0, the job has 7",
        "locked under the profile 'default'",
    ] == outcome.err.splitlines()
    assert (5, 7) == (locked()["job"]["hyperparameters"]["requested"]["n_epochs"], locked()["job"]["seed"])
    assert "  + create job: replace because n_epochs 5 → 2; seed 7 → 0" in planned.out.splitlines()
    assert f"  = training_file {NAME}: reuse {file_id} (same bytes)" in planned.out.splitlines()
    assert [
        "faq.lock.yaml: job: n_epochs 5 → 2 since it was locked",
        "faq.lock.yaml: job: seed 7 → 0 since it was locked",
    ] == verified.out.splitlines()


def test_other_bytes_are_locked_by_their_own_hash(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    """What they were made from is not known, and the plan does not pretend to."""
    recipe, _ = ready
    lines = hosted.contents["file-by-hand-0"].splitlines(keepends=True)
    job = put_job(hosted, put_file(hosted, b"".join(lines[1:])))
    assert 0 == call("import", job, recipe, "--accept-differences").code
    planned, verified = call("plan", recipe), call("verify", recipe)
    dataset = locked()["dataset"]

    assert (11, 0, {}, {}) == (
        dataset["training_file"]["examples"],
        dataset["records"],
        locked()["sources"],
        locked()["recipe"]["sections"],
    )
    assert "  + create job: replace because the job was trained on other files" in planned.out.splitlines()
    assert verified.out.startswith("faq.lock.yaml: dataset: training_file has other bytes")


def test_a_host_that_gives_nothing_back_is_compared_by_size_and_said_so(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    hosted.serves_content = False
    outcome = call("import", put_job(hosted, file_id), recipe)

    assert 0 == outcome.code
    assert (
        "warning: training_file: fake does not give file-by-hand-0 back, so only its size of 1,240 bytes was "
        "compared"
    ) == outcome.err.splitlines()[0]


def test_a_name_with_the_hash_needs_no_warning(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.serves_content = False
    file_id = put_file(hosted, built(call, recipe), "faq-e38bd63974795f07.jsonl")
    outcome = call("import", put_job(hosted, file_id), recipe)

    assert (0, "locked under the profile 'default'\n") == (outcome.code, outcome.err)
    assert "filename" not in locked()["dataset"]["training_file"]


def test_other_bytes_that_nobody_can_read_cannot_be_locked(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, _ = ready
    hosted.serves_content = False
    outcome = call("import", put_job(hosted, put_file(hosted, b"{}\n")), recipe, "--accept-differences")

    assert (
        1,
        "error: training_file file-by-hand-1 has 3 bytes, the recipe builds 1,240 bytes, and fake does not "
        "give it back, so its hash cannot be locked. Nothing was locked.\n",
    ) == (outcome.code, outcome.err)


def test_a_job_whose_file_is_gone_cannot_be_locked(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    job = put_job(hosted, file_id)
    hosted.files.clear()
    outcome = call("import", job, recipe, "--accept-differences")

    assert (
        "error: training_file file-by-hand-0 is gone at fake, so nobody can tell what the job was trained "
        "on. Nothing was locked.\n"
    ) == outcome.err


def test_a_validation_file_that_the_job_lacks_is_a_difference(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    recipe.write_text(recipe.read_text() + "split:\n  validation: 0.15\n")
    outcome = call("import", put_job(hosted, put_file(hosted, built(call, recipe))), recipe)

    assert (1, False) == (outcome.code, recipe.with_name("faq.lock.yaml").exists())
    assert "  validation_file: the recipe builds one, the job has none" in outcome.err.splitlines()


def test_a_running_job_is_locked_and_followed(call: Call, ready: tuple[Path, str], hosted: FakeHost) -> None:
    recipe, file_id = ready
    hosted.job_status = "running"
    imported = call("import", put_job(hosted, file_id), recipe)
    outcome = call("plan", recipe)

    assert (0, 0, []) == (imported.code, outcome.code, [name for name in hosted.requests if "POST" in name])
    assert "  = follow ftjob-1: started before, last running" in outcome.out.splitlines()


def test_the_job_before_goes_to_the_history(call: Call, ready: tuple[Path, str], hosted: FakeHost) -> None:
    recipe, file_id = ready
    call("run", recipe, "--yes")
    outcome = call("import", put_job(hosted, file_id), recipe)
    runs = call("history", recipe, "--json").data["runs"]

    assert "locked under the profile 'default' in place of ftjob-1\n" == outcome.err
    assert [("ftjob-2", "imported from fake"), ("ftjob-1", "new")] == [
        (run["job"]["id"], run["reason"]) for run in runs
    ]


def test_a_live_job_is_not_pushed_out(call: Call, ready: tuple[Path, str], hosted: FakeHost) -> None:
    recipe, file_id = ready
    hosted.job_status = "running"
    first, second = put_job(hosted, file_id), put_job(hosted, file_id)
    call("import", first, recipe)
    outcome = call("import", second, recipe)

    assert (
        "error: the lockfile has ftjob-1, which is running. `finetune watch faq.yaml` follows it to its end, "
        "`finetune cancel faq.yaml` stops it; import after that.\n"
    ) == outcome.err
    assert "ftjob-1" == locked()["job"]["id"]


def test_what_the_provider_does_not_tell_is_said(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    job = put_job(hosted, file_id)
    hosted.jobs[job] |= {"seed": None, "method": None, "hyperparameters": None}
    outcome = call("import", job, recipe, "--json")

    assert 0 == outcome.code
    assert ["fake does not tell the method, n_epochs, seed of ftjob-1; nobody compared it"] == (
        outcome.data["warnings"]
    )


def test_a_job_of_ours_keeps_its_attempt(call: Call, recipe: Path, hosted: FakeHost) -> None:
    """So that a later rerun is a new job and never this one."""
    call("run", recipe, "--yes")
    call("rerun", recipe, "--yes")
    before = Path("faq.lock.yaml").read_text()
    Path("faq.lock.yaml").unlink()
    call("import", "ftjob-2", recipe)

    assert before == Path("faq.lock.yaml").read_text()
    assert "ftjob-3 (attempt 3) repeats ftjob-2\n" in call("rerun", recipe, "--yes").out


def test_a_job_of_another_provider_is_a_difference(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    recipe.write_text(
        recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    )
    outcome = call("import", put_job(hosted, file_id, model="tiny-1"), recipe, "--provider", "fake")

    assert (1, False) == (outcome.code, recipe.with_name("faq.lock.yaml").exists())
    assert "  provider: the recipe asks for 'local', the job has 'fake'" in outcome.err.splitlines()


def test_an_unknown_job_says_where_to_look(call: Call, ready: tuple[Path, str]) -> None:
    outcome = call("import", "ftjob-9", ready[0])

    assert (
        1,
        "error: fake: No such object: /fine_tuning/jobs/ftjob-9. `finetune jobs --provider fake` lists the "
        "jobs that are there.\n",
    ) == (outcome.code, outcome.err)


def test_a_file_with_other_things_is_no_configuration(call: Call, recipe: Path) -> None:
    Path("axolotl.yml").write_text(json.dumps({}))
    outcome = call("import", "axolotl.yml")

    assert (
        1,
        "error: axolotl.yml: found no settings of OpenAI, LLaMA-Factory, Axolotl, expected such a YAML or "
        "JSON file. For data, use `finetune init`; for a job, give its ID.\n",
    ) == (outcome.code, outcome.err)


def test_the_settings_of_another_tool_become_a_recipe(call: Call, recipe: Path) -> None:
    settings = {"base_model": "tiny-1", "datasets": [{"path": "faq.jsonl", "type": "alpaca"}], "a": 1, "b": 2}
    Path("old.yml").write_text(json.dumps({**settings, "rl": "grpo"}))
    outcome = call("import", "old.yml")
    again = call("import", "old.yml")
    data = call("import", "old.yml", "--out", "new.yaml", "--json").data

    assert (0, "wrote old.recipe.yaml from settings of Axolotl\n") == (outcome.code, outcome.out)
    assert [
        "carried     base_model → training.model: tiny-1",
        "carried     datasets[0].type → template.from: alpaca",
        "carried     datasets[0].path → sources: faq.jsonl",
        "translated  adapter → training.options.adapter: none (no adapter)",
        "lost        rl: grpo: recipes train by supervised, dpo or reinforcement",
        "lost        a 1, b 2: finetune does not know this key",
    ] == outcome.err.splitlines()
    assert (
        2,
        "error: old.recipe.yaml exists already. Name another with --out, or replace it with --force.\n",
    ) == (again.code, again.err)
    assert ("new.yaml", "Axolotl", []) == (data["recipe"], data["tool"], data["problems"])
    assert {"key": "b", "fate": "lost", "text": "finetune does not know this key", "value": "2"} in data[
        "settings"
    ]
    assert 0 == call("validate", "new.yaml").code


@pytest.mark.parametrize(
    ("out", "problem"),
    [
        ("x.json", "x.json: expected a name that ends with .yaml for the recipe."),
        ("old.yml", "old.yml is the file to import. Name another file for the recipe with --out."),
        ("../x.yaml", "../x.yaml is outside the project of old.yml. Name a file inside it with --out."),
    ],
)
def test_a_recipe_is_written_where_it_can_be(call: Call, recipe: Path, out: str, problem: str) -> None:
    Path("old.yml").write_text(json.dumps({"base_model": "tiny-1", "datasets": []}))

    assert (2, f"error: {problem}\n") == ((outcome := call("import", "old.yml", "-o", out)).code, outcome.err)


def test_a_second_path_names_the_recipe_too(call: Call, recipe: Path) -> None:
    Path("old.yml").write_text(json.dumps({"base_model": "tiny-1", "datasets": []}))

    assert "wrote new.yaml from settings of Axolotl\n" == call("import", "old.yml", "new.yaml").out
    assert (
        2,
        "error: found new.yaml and --out x.yaml, expected one recipe to write. Leave one out.\n",
    ) == ((outcome := call("import", "old.yml", "new.yaml", "--out", "x.yaml")).code, outcome.err)


def test_a_file_that_is_not_there_is_no_job(call: Call, recipe: Path) -> None:
    outcome = call("import", "axolotl.yml", "--out", "new.yaml")

    assert (
        1,
        "error: axolotl.yml: not found. Give the path of a file with settings, or the ID of a job.\n",
    ) == (outcome.code, outcome.err)


def test_a_job_is_not_written_to_a_file(call: Call, recipe: Path) -> None:
    outcome = call("import", "ftjob-1", "--out", "new.yaml")

    assert (
        2,
        "error: --out is for a FILE of settings, and there is no file ftjob-1. Leave it out.\n",
    ) == (outcome.code, outcome.err)


def test_a_server_that_sends_more_than_it_says_is_refused(
    call: Call, ready: tuple[Path, str], hosted: FakeHost
) -> None:
    recipe, file_id = ready
    hosted.contents[file_id] += b"x" * 100
    outcome = call("import", put_job(hosted, file_id), recipe)

    assert "error: fake sends more for file-by-hand-0 than the 1,240 bytes it has.\n" == outcome.err
    assert [] == list((Path(".finetune") / "datasets").glob(".importing*"))
