"""`verify --remote`: what the lockfile names, asked for at its provider."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

VERIFIED = "faq.lock.yaml: verified (2 files, 12 records)\n"
NAME = "faq-e38bd63974795f07.jsonl"


@pytest.fixture
def locked(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A recipe after its run, named as it would be typed."""
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


def test_everything_that_is_there_has_a_line(call: Call, locked: Path, hosted: FakeHost) -> None:
    sent = len(hosted.requests)
    outcome = call("verify", locked, "--remote")

    assert (
        0,
        f"{VERIFIED}"
        f"fake: training_file file-1: there (1,240 bytes, {NAME})\n"
        "fake: job ftjob-1: there (succeeded)\n"
        "fake: model ft:base-1:org::1: there\n",
    ) == (outcome.code, outcome.out)
    assert {"GET"} == {request.split()[0] for request in hosted.requests[sent:]}


def test_what_is_gone_says_what_to_do(call: Call, locked: Path, hosted: FakeHost) -> None:
    hosted.files.clear()
    hosted.jobs.clear()
    outcome = call("verify", locked, "--remote")

    assert (
        6,
        f"{VERIFIED}"
        "fake: training_file file-1: is gone. `finetune refresh faq.yaml` takes it out of the lockfile, and "
        "a later run sends it again.\n"
        "fake: job ftjob-1: is gone. `finetune rerun faq.yaml` makes it again.\n"
        "fake: model ft:base-1:org::1: is gone. `finetune rerun faq.yaml` makes it again.\n",
    ) == (outcome.code, outcome.out)


def test_what_is_another_thing_now_is_wrong(call: Call, locked: Path, hosted: FakeHost) -> None:
    hosted.files["file-1"] |= {"bytes": 7, "filename": "other.jsonl"}
    hosted.job_status = "failed"
    outcome = call("verify", locked, "--remote", "--json")

    assert (6, False, []) == (outcome.code, outcome.data["ok"], outcome.data["differences"])
    assert [
        {
            "name": "fake: training_file file-1",
            "state": "wrong",
            "detail": "has 7 bytes and the name other.jsonl, expected 1,240 bytes and a name with "
            "e38bd63974795f07: it is another file now. The next run that needs it sends the right one.",
        },
        {
            "name": "fake: job ftjob-1",
            "state": "wrong",
            "detail": "has the status failed, locked is succeeded. `finetune refresh faq.yaml` locks what it "
            "is now.",
        },
        {"name": "fake: model ft:base-1:org::1", "state": "there", "detail": ""},
    ] == outcome.data["remote"]


def test_routes_that_a_host_lacks_are_no_failure(call: Call, locked: Path, hosted: FakeHost) -> None:
    hosted.lacks = ("/files", "/models", "/fine_tuning")
    outcome = call("verify", locked, "--remote")

    assert (
        0,
        f"{VERIFIED}"
        "fake: training_file file-1: not offered\n"
        "fake: job ftjob-1: not offered\n"
        "fake: model ft:base-1:org::1: not offered\n",
    ) == (outcome.code, outcome.out)


def test_without_a_key_it_says_that_nobody_was_asked(
    call: Call, locked: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAKE_API_KEY")
    sent = len(hosted.requests)
    outcome = call("verify", locked, "--remote")

    assert (
        0,
        f"{VERIFIED}fake: not asked (the environment variable FAKE_API_KEY is not set)\n",
    ) == (outcome.code, outcome.out)
    assert sent == len(hosted.requests)


@pytest.mark.parametrize(
    ("day", "code", "line"),
    [
        (
            "2999-01-01",
            0,
            "fake: model ft:base-1:org::1: there (ft:base-1:org::1 shuts down on 2999-01-01, in ",
        ),
        (
            "2020-01-01",
            6,
            "fake: model ft:base-1:org::1: ft:base-1:org::1 was shut down on 2020-01-01. "
            "Train the recipe on another model.",
        ),
        ("soon", 0, "fake: model ft:base-1:org::1: there"),
    ],
)
def test_the_last_day_of_a_model_is_told(
    call: Call, locked: Path, hosted: FakeHost, day: str, code: int, line: str
) -> None:
    hosted.shutdown_dates["ft:base-1:org::1"] = day
    outcome = call("verify", locked, "--remote")

    assert code == outcome.code
    assert outcome.out.splitlines()[-1].startswith(line)


def test_the_last_day_of_the_base_model_comes_from_the_host_entry(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    entry = next(Path(os.environ["XDG_CONFIG_HOME"]).rglob("fake.toml"))
    entry.write_text(entry.read_text().replace("shutdown_date = 2025-01-01", "shutdown_date = 2999-01-01"))
    recipe.write_text(recipe.read_text().replace("base-1", "base-0"))
    assert 0 == call("run", recipe, "--yes", "--allow-unknown-price").code
    last = call("verify", recipe, "--remote").out.splitlines()[-1]

    assert last.startswith("fake: model ft:base-0:org::1: there (base-0 shuts down on 2999-01-01, in ")


def test_drift_is_told_besides(call: Call, locked: Path, hosted: FakeHost) -> None:
    locked.write_text(locked.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    outcome = call("verify", locked, "--remote")

    assert 6 == outcome.code
    assert [
        "faq.lock.yaml: job: n_epochs 2 → 3 since it was locked",
        f"fake: training_file file-1: there (1,240 bytes, {NAME})",
        "fake: job ftjob-1: there (succeeded)",
        "fake: model ft:base-1:org::1: there",
    ] == outcome.out.splitlines()


def test_what_a_server_says_cannot_drive_the_terminal(call: Call, locked: Path, hosted: FakeHost) -> None:
    hosted.files["file-1"]["filename"] = "\x1b[2J"
    outcome = call("verify", locked, "--remote")

    assert "\x1b" not in outcome.out
    assert "\\x1b[2J" in outcome.out
