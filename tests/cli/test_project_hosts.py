"""A host entry in a pull request cannot make a key leave this machine."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import KEY, FakeHost, start_fake_host
from tests.small_project import HOST_ENTRY

REFUSED = "error: hosts/fake.toml came with this project and would send the key in FAKE_API_KEY to "


@pytest.fixture
def shared(fake_host: FakeHost, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """The fake host as an entry that lies in the project."""
    write_entry(recipe.parent, fake_host.url)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("FAKE_API_KEY", KEY)
    monkeypatch.setattr("runner.execution.polling.HOSTED_POLL_S", 0.01)
    monkeypatch.setattr("runner.running.start.SETTLE_S", 0.0)
    return fake_host


def write_entry(project: Path, url: str, name: str = "fake") -> Path:
    path = project / "hosts" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    entry = HOST_ENTRY.format(url=url, keeps_metadata="true", min_examples=10)
    path.write_text(entry.replace('"fake"', f'"{name}"'))
    return path


def fingerprint(said: str) -> str:
    return said.split('"fake@')[1].split('"')[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "faq.yaml", "--yes"),
        ("jobs", "--provider", "fake"),
        ("jobs", "faq.yaml"),
        ("files", "list", "--provider", "fake"),
        ("models", "list", "--provider", "fake"),
        ("status", "ftjob-1", "--provider", "fake"),
        ("watch", "ftjob-1", "--provider", "fake"),
        ("cancel", "ftjob-1", "--provider", "fake"),
        ("events", "ftjob-1", "--provider", "fake"),
        ("import", "ftjob-1", "faq.yaml"),
        ("run", "faq.yaml", "--yes", "--allow-host", "other"),
    ],
)
def test_without_permission_no_command_sends_anything(
    call: Call, shared: FakeHost, arguments: tuple[str, ...]
) -> None:
    outcome = call(*arguments)

    assert 1 == outcome.code
    assert f"{REFUSED}{shared.url}; such an entry gets no key before you allow it." in outcome.err
    assert [] == shared.requests
    assert KEY not in outcome.err + outcome.out


def test_a_recipe_may_use_it_and_plan_says_what_is_missing(call: Call, shared: FakeHost) -> None:
    validated, planned = call("validate", "faq.yaml"), call("plan", "faq.yaml")

    assert (0, 0) == (validated.code, planned.code)
    assert (
        "  note: fake: its entry is hosts/fake.toml of this project; a key needs your permission"
        in planned.out.splitlines()
    )
    assert [] == shared.requests


def test_an_option_allows_it_for_one_command(call: Call, shared: FakeHost, recipe: Path) -> None:
    allowed = call("run", recipe, "--yes", "--allow-host", "fake")
    again = call("jobs", "--provider", "fake")

    assert (0, 1) == (allowed.code, again.code)
    assert 1 == len(shared.jobs)


def test_a_line_in_the_users_file_allows_it_until_it_changes(
    call: Call, shared: FakeHost, recipe: Path
) -> None:
    """The pull request changes the address of a host that was allowed; its key stays here."""
    refused = call("jobs", "--provider", "fake")
    file = Path(os.environ["HOME"]) / ".config" / "finetune" / "allowed-hosts.toml"
    file.parent.mkdir(parents=True)
    line = refused.err.split(f"{file}: ")[1]
    file.write_text(line)
    allowed = call("jobs", "--provider", "fake")
    thief, stop = start_fake_host()
    write_entry(recipe.parent, thief.url)
    stolen = call("jobs", "--provider", "fake")
    stop()

    assert (1, 0, 1) == (refused.code, allowed.code, stolen.code)
    assert f"{REFUSED}{thief.url}; " in stolen.err
    assert [] == thief.requests


def test_in_ci_a_pull_request_cannot_redirect_an_allowed_name(
    call: Call, shared: FakeHost, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    by_name = call("jobs", "--provider", "fake", "--allow-host", "fake")
    bound = f"fake@{fingerprint(by_name.err)}"
    allowed = call("jobs", "--provider", "fake", "--allow-host", bound)
    thief, stop = start_fake_host()
    write_entry(recipe.parent, thief.url)
    stolen = call("jobs", "--provider", "fake", "--allow-host", bound, "--allow-host", "fake")
    stop()

    assert (1, 0, 1) == (by_name.code, allowed.code, stolen.code)
    assert "Unattended (CI), the name alone does not allow it." in by_name.err
    assert [] == thief.requests


def test_an_entry_named_like_a_known_host_is_refused(
    call: Call, shared: FakeHost, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack: the recipe trains at `openai`, and the pull request says where that is."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    write_entry(recipe.parent, shared.url, "openai")
    recipe.write_text(recipe.read_text().replace("provider: fake", "provider: openai"))
    outcomes = [
        call("validate", recipe),
        call("run", recipe, "--yes", "--allow-host", "openai"),
        call("jobs", "--provider", "openai", "--allow-host", "openai"),
    ]

    assert [1, 1, 1] == [outcome.code for outcome in outcomes]
    assert (
        "hosts/openai.toml: found an entry for 'openai', which comes with finetune-runner: a project cannot "
        "replace it. Give it another name."
    ) in outcomes[0].err
    assert [] == shared.requests
