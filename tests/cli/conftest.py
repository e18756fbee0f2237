"""A project on disk, a hosted provider as the user's own host entry, and a way to call commands."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from tests.fake_host import KEY, FakeHost
from tests.small_project import write_host_entry, write_project


@dataclass
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)


Call = Callable[..., Outcome]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process."""

    def called(*arguments: str | Path) -> Outcome:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code=code, out=captured.out, err=captured.err)

    return called


@pytest.fixture
def recipe(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe of twelve records, in the current folder."""
    monkeypatch.chdir(project)
    return write_project(project)


@pytest.fixture
def hosted(
    fake_host: FakeHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> FakeHost:
    """The fake host as a host entry of the user, with its key in the environment."""
    config = tmp_path_factory.mktemp("config")
    write_host_entry(config, fake_host.url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("FAKE_API_KEY", KEY)
    monkeypatch.setattr("runner.execution.polling.HOSTED_POLL_S", 0.01)
    monkeypatch.setattr("runner.running.start.SETTLE_S", 0.0)
    return fake_host


@pytest.fixture
def local_recipe(recipe: Path) -> Path:
    """The same recipe for the embedded service."""
    text = recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    recipe.write_text(text)
    return recipe
