"""A host that says it has another file or job than was sent is found out, and nothing is built on it."""

import os
from pathlib import Path
from typing import Any

import pytest

from runner.lock.lockfile import read_lockfile
from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE, UPLOAD = "POST /fine_tuning/jobs", "POST /files"
NAME = "faq-e38bd63974795f07.jsonl"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.execution.run.LOOKUP_DELAYS", (0.0,))


@pytest.mark.parametrize(
    ("lies", "content", "expected"),
    [
        ({"filename": "training.jsonl"}, None, f"filename is 'training.jsonl', sent was '{NAME}'"),
        ({"bytes": 7}, None, "bytes is 7, sent was "),
        ({"purpose": "assistants"}, None, "purpose is 'assistants', sent was 'fine-tune'"),
        ({}, b'{"messages":[]}\n', "the content's sha256 is '"),
    ],
)
def test_another_file_than_was_sent_starts_no_job(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    lies: dict[str, Any],
    content: bytes | None,
    expected: str,
) -> None:
    hosted.file_lies, hosted.other_content = lies, content
    codes = [call("run", recipe, "--yes") for _ in range(2)]

    assert [1, 1] == [outcome.code for outcome in codes]
    assert f"fake: file-1 is not the file that was sent: {expected}" in codes[0].err
    assert "No job was started from it." in codes[0].err
    assert 0 == hosted.count(CREATE)


@pytest.mark.parametrize("fault", [None, "drop"])
@pytest.mark.parametrize(
    ("lies", "expected"),
    [
        ({"model": "base-9"}, "model is 'base-9', sent was 'base-1'"),
        ({"training_file": "file-77"}, "training_file is 'file-77', sent was 'file-1'"),
        ({"method": {"type": "dpo"}}, "method is 'dpo', sent was 'supervised'"),
        ({"method": None}, "hyperparameters.n_epochs is 3, sent was 2"),
        ({"seed": 8}, "seed is 8, sent was 0"),
    ],
)
def test_another_job_than_was_asked_for_is_refused_and_not_made_again(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    lies: dict[str, Any],
    expected: str,
    fault: str | None,
) -> None:
    """Found out at once, after a lost answer, and by the next run, which finds the same job."""
    hosted.job_lies, hosted.faults = lies, {CREATE: [fault]} if fault else {}
    ended = [call("run", recipe, "--yes") for _ in range(2)]

    assert [1, 1] == [outcome.code for outcome in ended]
    assert f"error: fake: ftjob-1 is not the job that was asked for: {expected}" in ended[0].err
    assert "`finetune cancel ftjob-1 --provider fake` stops it." in ended[0].err
    assert (1, 1) == (hosted.count(CREATE), hosted.charges)
    assert not recipe.with_name("faq.lock.yaml").exists()


@pytest.mark.parametrize(
    ("lies", "expected"),
    [
        ({"model": "base-9", "seed": 8}, "model is 'base-9', sent was 'base-1'; seed is 8, sent was 0"),
        ({"training_file": "file-77"}, "training_file is 'file-77', sent was 'file-1'"),
        (
            {"method": {"type": "dpo"}},
            "method is 'dpo', sent was 'supervised'; hyperparameters.n_epochs is 3, sent was 2",
        ),
        ({"method": None}, "hyperparameters.n_epochs is 3, sent was 2"),
    ],
)
def test_a_result_of_another_job_than_was_asked_for_is_not_locked(
    call: Call, recipe: Path, hosted: FakeHost, lies: dict[str, Any], expected: str
) -> None:
    """A host may rewrite at the end what it told truly when the job was made; it says so to every command."""
    hosted.result_lies = lies
    watch = f"`finetune watch {recipe}`"
    ended = [call(command, recipe, *more) for command, more in (("run", ["--yes"]), ("watch", []))]

    assert [1, 1] == [outcome.code for outcome in ended]
    for outcome in ended:
        assert (
            f"error: fake: ftjob-1 succeeded, but is not the job that was asked for: {expected}. Its result "
            "was not locked. If fake only words it otherwise, its host entry can say so under `restates`; "
            f"{watch} then locks the result.\n"
        ) in outcome.err
    assert (1, 1) == (hosted.count(CREATE), hosted.charges)
    job = read_lockfile(recipe.with_name("faq.lock.yaml")).runs["default"].job
    assert job is not None
    assert ("queued", None) == (job.status, job.fine_tuned_model)

    hosted.result_lies = {}
    hosted.jobs["ftjob-1"] |= {"model": "base-1", "seed": 0, "training_file": "file-1", "method": None}
    hosted.jobs["ftjob-1"]["hyperparameters"] = {"n_epochs": 2}
    assert 0 == call("watch", recipe).code


def test_a_host_whose_entry_says_that_it_restates_is_believed(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
) -> None:
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    entry.write_text(f'restates = ["model"]\n{entry.read_text()}')
    hosted.job_lies = {"model": "base-1-turbo"}

    assert 0 == call("run", recipe, "--yes").code
