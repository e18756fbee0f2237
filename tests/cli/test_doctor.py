"""What is wrong here, or at a host, is found before a run meets it."""

import fcntl
from email.utils import formatdate
from pathlib import Path

import pytest

from runner.execution.journal import Journal
from tests.cli.conftest import Call, Outcome
from tests.fake_host import KEY, FakeHost


def lines(outcome: Outcome) -> dict[str, str]:
    """What was said of each thing, by its name."""
    listed = outcome.data["findings"]
    return {
        item["name"]: f"{item['state']}: {item['detail']}"
        + (f" / {item['advice']}" if item["advice"] else "")
        for item in listed
    }


def seen(outcome: Outcome) -> dict[str, tuple[bool | None, bool | None]]:
    return {item["name"]: (item["claimed"], item["seen"]) for item in outcome.data["capabilities"]}


def test_a_machine_in_order_has_nothing_that_fails(call: Call, recipe: Path, hosted: FakeHost) -> None:
    fresh = lines(call("doctor", "--json"))
    state = recipe.parent / ".finetune"

    assert f"ok: {state} is made by the first build" == fresh["state"]
    assert not state.exists()

    call("build", recipe)
    outcome = call("doctor", "--json")
    said = lines(outcome)

    assert 0 == outcome.code
    assert f"ok: {state}" == said["state"]
    assert "ok: none held" == said["locks"]
    assert "ok: 0 kept, nothing open" == said["journal"]
    assert "ok: the local service does not run; a run starts it" == said["service"]
    assert f"ok: {hosted.url}, FAKE_API_KEY is set" == said["host fake"]
    assert [] == hosted.requests


def test_open_intents_held_locks_and_broken_entries_are_found(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    state = recipe.parent / ".finetune"
    Journal(state / "journal" / "a.jsonl").intend("job", "k")
    (state / "journal" / "b.jsonl").write_text('{"state":"lost"}\n')
    (state / "locks").mkdir()
    (recipe.parent / "hosts").mkdir()
    (recipe.parent / "hosts" / "broken.toml").write_text("name = 3\n")
    with (state / "locks" / "a.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        outcome = call("doctor")

    assert 1 == outcome.code
    assert "  warn  locks" in outcome.out
    assert (
        "a.jsonl: 1 sent without a known outcome. Run its recipe again: it looks for the result before "
        "anything is sent."
    ) in outcome.out
    assert "b.jsonl:1: the journal of what was sent is damaged here" in outcome.out
    assert "hosts/broken.toml: $.name: found 3, expected text." in outcome.out


def test_a_host_in_order_is_told_with_its_capabilities(call: Call, recipe: Path, hosted: FakeHost) -> None:
    call("run", recipe, "--yes")
    sent = len(hosted.requests)
    outcome = call("doctor", "--provider", "fake", "--json")
    said = lines(outcome)

    assert 0 == outcome.code
    assert said.pop("reach").startswith(f"ok: {hosted.url}/ answered HTTP 200 in ")
    assert {
        "key": "ok: FAKE_API_KEY is accepted",
        "clock": "ok: within 60 s of this machine's",
        "models": "ok: 3 listed",
        "files": "ok: GET /files: takes a limit, says has_more, has one page",
        "jobs": "ok: GET /fine_tuning/jobs: takes a limit, says has_more, has one page",
        "errors": "ok: HTTP 404 with a message: No such object: "
        "/fine_tuning/jobs/ftjob-000000000000000000000000",
        "upload": "ok: not tried; --write sends a file of 86 bytes and deletes it",
    } == said
    assert {
        "keeps_metadata": (True, True),
        "filters_metadata": (None, False),
        "lists_events": (True, True),
        "lists_checkpoints": (True, True),
        "gives_content_back": (None, True),
        "batches": (None, True),
    } == seen(outcome)
    assert {"GET"} == {request.split()[0] for request in hosted.requests[sent:]}


def test_what_a_host_lacks_or_does_otherwise_is_found(call: Call, recipe: Path, hosted: FakeHost) -> None:
    for n_epochs in (2, 3):
        recipe.write_text(recipe.read_text().replace("n_epochs: 2", f"n_epochs: {n_epochs}"))
        call("run", recipe, "--yes")
    hosted.lacks = ("/batches", "/fine_tuning/jobs/ftjob-2/events")
    hosted.ignores_after = True
    hosted.base_models = ("base-1",)
    outcome = call("doctor", "--provider", "fake", "--json")
    said = lines(outcome)

    assert 0 == outcome.code
    assert (
        "warn: 1 listed; not among them: base-0, base-priceless / They may be gone, or not open to this "
        "account."
    ) == said["models"]
    assert said["jobs"].endswith("ignores `after`: the runner stops at the first page")
    assert (
        "warn: the entry says otherwise than the host does / Change `lists_events` in the host entry, or ask "
        "the host."
    ) == said["lists_events"]
    assert ((True, False), (None, False)) == (seen(outcome)["lists_events"], seen(outcome)["batches"])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "FAKE_API_KEY",
            "sk-other",
            "refused: HTTP 401: Incorrect API key provided. Check the key in FAKE_API_KEY.",
        ),
        ("FAKE_API_KEY", "", "fake needs a key: the environment variable FAKE_API_KEY is not set."),
    ],
)
def test_a_key_that_does_not_work_fails(
    call: Call,
    recipe: Path,
    hosted: FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    expected: str,
) -> None:
    monkeypatch.setenv(name, value)
    outcome = call("doctor", "--provider", "fake")

    assert 1 == outcome.code
    assert expected in outcome.out


def test_a_host_that_repeats_the_key_does_not_get_it_printed(
    call: Call, recipe: Path, hosted: FakeHost
) -> None:
    job = "GET /fine_tuning/jobs/ftjob-000000000000000000000000"
    hosted.faults = {job: [f"404 no job for {KEY}"]}
    outcome = call("doctor", "--provider", "fake")

    assert "no job for ***" in outcome.out
    assert KEY not in outcome.out + outcome.err


def test_a_host_that_does_not_answer_fails(call: Call, recipe: Path, hosted: FakeHost) -> None:
    hosted.faults = {"GET /models": ["drop_before"]}
    outcome = call("doctor", "--provider", "fake", "--json")

    assert 1 == outcome.code
    assert lines(outcome)["reach"].startswith(f"fail: {hosted.url}/: ")
    assert ["GET /models"] == hosted.requests


def test_a_clock_that_is_far_off_is_told(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.date_time_string",
        lambda *_: formatdate(1_795_000_000, usegmt=True),
    )
    monkeypatch.setattr("runner.clock.SystemClock.now", lambda self: 1_795_000_600.0)
    outcome = call("doctor", "--provider", "fake", "--json")

    assert (
        "warn: the host's clock is 600 s behind this machine's / Set this machine's clock; times are "
        "compared after a lost answer."
    ) == lines(outcome)["clock"]


def test_a_file_is_sent_and_deleted_only_when_asked(call: Call, recipe: Path, hosted: FakeHost) -> None:
    told = call("doctor", "--provider", "fake", "--write", "--json")
    hosted.file_lies = {"filename": "training.jsonl"}
    lied = call("doctor", "--provider", "fake", "--write", "--json")

    assert (0, 1) == (told.code, lied.code)
    assert "ok: file-1: name, bytes and purpose as they were sent" == lines(told)["upload"]
    assert lines(lied)["upload"].startswith(
        "fail: file-2: sent ('finetune-doctor.jsonl', 86, 'fine-tune'), the host says ('training.jsonl', 86, "
        "'fine-tune') / "
    )
    assert ["DELETE /files/file-1", "DELETE /files/file-2"] == [
        request for request in hosted.requests if request.startswith("DELETE")
    ]


def test_writing_needs_a_host(call: Call, recipe: Path) -> None:
    outcome = call("doctor", "--write")

    assert 2 == outcome.code
    assert (
        "error: found --write without --provider, expected a host to send a file to. Add it.\n" == outcome.err
    )
