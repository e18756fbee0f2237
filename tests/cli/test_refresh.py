"""`refresh`: the lockfile follows what its providers say, and nothing else happens."""

import copy
from pathlib import Path

import pytest
import yaml

from runner.execution.locking import with_result
from runner.lock.lockfile import LockedRun
from runner.providers.base import Checkpoint, Job
from tests.cli.conftest import Call
from tests.fake_host import FakeHost


def locked_run(recipe: Path, profile: str = "default") -> dict[str, object]:
    lock = yaml.safe_load(recipe.with_name("faq.lock.yaml").read_text())
    run: dict[str, object] = lock["runs"][profile]
    return run


@pytest.fixture
def ran(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A recipe after its run, named as it would be typed."""
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


@pytest.fixture
def running(ran: Path) -> Path:
    """A recipe whose lockfile was committed while its job was running."""
    path = ran.with_name("faq.lock.yaml")
    lock = yaml.safe_load(path.read_text())
    job = lock["runs"]["default"]["job"]
    job["status"] = "running"
    job["hyperparameters"]["resolved"] = {}
    del job["fine_tuned_model"], job["trained_tokens"]
    path.write_text(yaml.safe_dump(lock))
    return ran


def test_a_job_that_ended_meanwhile_is_locked_with_its_result(
    call: Call, running: Path, hosted: FakeHost
) -> None:
    sent = len(hosted.requests)
    outcome = call("refresh", running)

    assert (
        0,
        "default: ftjob-1 at fake: status running → succeeded; trained_tokens none → 1700; "
        "fine_tuned_model none → ft:base-1:org::1; batch_size none → auto; "
        "learning_rate_multiplier none → auto; n_epochs none → 2\n",
    ) == (outcome.code, outcome.out)
    assert "Nothing to do: ft:base-1:org::1 is up to date.\n" in call("plan", running).out
    assert {"GET"} == {request.split()[0] for request in hosted.requests[sent:]}


def test_a_second_refresh_changes_nothing(call: Call, running: Path) -> None:
    call("refresh", running)
    before = running.with_name("faq.lock.yaml").read_bytes()

    assert "default: ftjob-1 at fake: nothing changed\n" == call("refresh", running).out
    assert before == running.with_name("faq.lock.yaml").read_bytes()


def test_a_file_that_is_gone_loses_its_id(call: Call, ran: Path, hosted: FakeHost) -> None:
    hosted.files.clear()
    outcome = call("refresh", ran, "--json")

    assert {
        "ok": True,
        "runs": [
            {
                "profile": "default",
                "job": "ftjob-1",
                "provider": "fake",
                "changes": ["training_file file-1 is gone"],
                "problem": None,
            }
        ],
    } == outcome.data
    assert "file_id" not in locked_run(ran)["dataset"]["training_file"]  # type: ignore[index]


def test_a_host_without_the_file_route_says_nothing_of_files(call: Call, ran: Path, hosted: FakeHost) -> None:
    hosted.lacks = ("/files",)

    assert "default: ftjob-1 at fake: nothing changed\n" == call("refresh", ran).out


def test_a_job_that_is_gone_stays_in_the_lockfile(call: Call, ran: Path, hosted: FakeHost) -> None:
    before = ran.with_name("faq.lock.yaml").read_bytes()
    hosted.jobs.clear()
    outcome = call("refresh", ran)

    assert (
        1,
        "error: default: fake: No such object: /fine_tuning/jobs/ftjob-1. "
        "The lockfile keeps what it says of ftjob-1.\n",
    ) == (outcome.code, outcome.err)
    assert before == ran.with_name("faq.lock.yaml").read_bytes()


def test_every_profile_is_asked_at_its_own_provider(call: Call, running: Path) -> None:
    """One that was trained elsewhere is named and does not stop the others."""
    path = running.with_name("faq.lock.yaml")
    lock = yaml.safe_load(path.read_text())
    lock["runs"]["here"] = copy.deepcopy(lock["runs"]["default"])
    lock["runs"]["here"]["job"] |= {"provider": "local", "id": "ftjob-" + "0" * 24}
    path.write_text(yaml.safe_dump(lock))
    outcome = call("refresh", running)

    assert 0 == outcome.code
    assert outcome.out.startswith("default: ftjob-1 at fake: status running → succeeded; ")
    assert (
        "here: not asked: ftjob-000000000000000000000000 was trained on another machine; "
        "`finetune run faq.yaml --profile here` trains it here.\n"
    ) == outcome.err


def test_without_a_key_it_says_that_nothing_was_asked(
    call: Call, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAKE_API_KEY")
    outcome = call("refresh", ran)

    assert (
        1,
        "error: default: fake needs a key: the environment variable FAKE_API_KEY is not set. "
        "Set it, or train on this machine, with `provider: local`.\n",
    ) == (outcome.code, outcome.err)


def test_without_a_job_there_is_nothing_to_ask(call: Call, ran: Path) -> None:
    assert (
        "error: no job was started under the profile 'more'. "
        "`finetune run faq.yaml --profile more` starts one.\n"
        == call("refresh", ran, "--profile", "more").err
    )


def test_a_job_that_was_replaced_meanwhile_is_left_alone(
    call: Call, running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command locks a newer job while this one waits for an answer."""
    path = running.with_name("faq.lock.yaml")
    newer = path.read_text().replace("ftjob-1", "ftjob-7")

    def meanwhile(run: LockedRun, job: Job, checkpoints: list[Checkpoint]) -> LockedRun:
        path.write_text(newer)
        return with_result(run, job, checkpoints)

    monkeypatch.setattr("runner.upkeep.refresh.with_result", meanwhile)
    call("refresh", running)

    assert newer == path.read_text()


def test_what_was_refreshed_is_in_the_history(call: Call, running: Path) -> None:
    call("refresh", running)
    (past,) = call("history", running, "--json").data["runs"]

    assert ("ftjob-1", "succeeded", "new") == (past["job"]["id"], past["job"]["status"], past["reason"])
