"""What is said of jobs that go on when a command ends early, at a paid provider."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CREATE, JOB = "POST /fine_tuning/jobs", "GET /fine_tuning/jobs/ftjob-1"
RUNS = {name: f"faq.yaml [seed={name}]" for name in "12"}


@pytest.fixture
def pair(recipe: Path, hosted: FakeHost) -> Path:
    """A recipe of two jobs."""
    recipe.write_text(recipe.read_text() + "matrix: {training.seed: [1, 2]}\n")
    return recipe


def attached(job: str, recipe: Path, seed: int) -> str:
    options = f"{recipe} --only seed={seed}"
    return (
        f"job {job} goes on. `finetune watch {options}` attaches again, `finetune cancel {options}` stops it."
    )


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("interrupt", 130, "error: interrupted while the job was being created at fake, so it may exist. "),
        ("400 No such seed.", 1, "error: fake answered HTTP 400: No such seed.\n"),
    ],
)
def test_a_start_that_fails_tells_of_the_jobs_before(
    pair: Path, hosted: FakeHost, call: Call, fault: str, code: int, said: str
) -> None:
    hosted.faults = {CREATE: [None, fault]}
    outcome = call("run", pair, "--yes")

    assert code == outcome.code
    assert f"\n{attached('ftjob-1', pair, 1)}\n{said}" in outcome.err


def test_leaving_the_first_of_two_jobs_tells_of_the_second(pair: Path, hosted: FakeHost, call: Call) -> None:
    hosted.faults = {JOB: ["interrupt"]}
    outcome = call("run", pair, "--yes")

    assert 130 == outcome.code
    assert outcome.err.endswith(
        f"{attached('ftjob-2', pair, 2)}\nerror: interrupted; {attached('ftjob-1', pair, 1)}\n"
    )


def test_ctrl_c_after_the_end_does_not_say_that_nothing_was_sent(
    recipe: Path, hosted: FakeHost, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runner.running.following.try_to_save", interrupt)
    outcome = call("run", recipe, "--yes")

    assert 130 == outcome.code
    assert outcome.err.endswith(
        f"error: interrupted; job ftjob-1 has ended. `finetune watch {recipe}` locks its result.\n"
    )


def test_a_lockfile_that_cannot_be_written_hides_no_started_job(
    recipe: Path, hosted: FakeHost, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.running.state.write_lockfile", refuse)
    outcome = call("run", recipe, "--yes")

    assert 1 == outcome.code
    assert outcome.err.endswith(
        "error: job ftjob-1 was created and goes on.\nfaq.lock.yaml could not be written: No space left on "
        f"device. Repair that, then `finetune run {recipe}` finds the job and goes on.\n"
    )


def test_a_job_that_ends_late_does_not_replace_a_later_one(
    recipe: Path, hosted: FakeHost, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have started a job of the changed recipe while the first was followed."""
    lock = recipe.with_name("faq.lock.yaml")

    def show(*arguments: object) -> None:
        lock.write_text(lock.read_text().replace("ftjob-1", "ftjob-7"))

    monkeypatch.setattr("runner.cli.runs.TerminalConsole.show", show)
    outcome = call("run", recipe, "--yes")

    assert 1 == outcome.code
    assert outcome.err.endswith(
        "error: job ftjob-1 succeeded.\nfaq.lock.yaml has another job by now, so this one was not locked. "
        f"`finetune history {recipe}` has both.\n"
    )
    assert "ftjob-7" == yaml.safe_load(lock.read_text())["runs"]["default"]["job"]["id"]


def test_a_recipe_that_changed_since_the_question_is_not_run_for_another(
    recipe: Path, hosted: FakeHost, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two stages is planned again right before it starts; only what was confirmed is sent."""
    second = recipe.with_name("second.yaml")
    second.write_text("version: 1\nextends: faq.yaml\nname: second\ntraining: {model: {recipe: faq.yaml}}\n")

    def confirm(*arguments: object) -> bool:
        data = recipe.with_name("faq.jsonl")
        data.write_text(data.read_text().replace("It is number 3.", "It is three."))
        return True

    monkeypatch.setattr("runner.cli.runs.TerminalConsole.confirm", confirm)
    outcome = call("run", second)

    assert (1, 0) == (outcome.code, hosted.count(CREATE))
    assert outcome.err.endswith("error: faq.yaml changed since it was planned. Run the command again.\n")
