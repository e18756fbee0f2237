"""A project on disk, a hosted provider as the user's own host entry, and a way to call commands."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from tests.fake_host import KEY, FakeHost

HOST_ENTRY = """\
name = "fake"
base_url = "{url}"
key_variable = "FAKE_API_KEY"
as_of = 2026-11-22
paid = true
keeps_metadata = true

[limits]
min_examples = 10
max_file_bytes = 536870912
max_suffix_characters = 18

[[models]]
name = "base-1"
max_example_tokens = 65536
training_usd_per_million_tokens = 1000.0
price_as_of = 2026-11-22

[[models]]
name = "base-0"
shutdown_date = 2025-01-01

[[models]]
name = "base-priceless"

[[notices]]
on = 2027-01-06
text = "no new jobs"
"""
RECIPE = """\
version: 1
name: faq
sources:
  - path: faq.jsonl
key: id
fields:
  question: question
  answer: answer
template:
  messages:
    - role: user
      content: "{{ question }}"
    - role: assistant
      content: "{{ answer }}"
training:
  provider: fake
  model: base-1
  hyperparameters:
    n_epochs: 2
"""


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
    lines = [
        json.dumps({"id": number, "question": f"What is {number}?", "answer": f"It is number {number}."})
        for number in range(12)
    ]
    (project / "faq.jsonl").write_text("\n".join(lines) + "\n")
    path = project / "faq.yaml"
    path.write_text(RECIPE)
    monkeypatch.chdir(project)
    return path


@pytest.fixture
def hosted(
    fake_host: FakeHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> FakeHost:
    """The fake host as a host entry of the user, with its key in the environment."""
    folder = tmp_path_factory.mktemp("config") / "finetune" / "hosts"
    folder.mkdir(parents=True)
    (folder / "fake.toml").write_text(HOST_ENTRY.format(url=fake_host.url))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent.parent))
    monkeypatch.setenv("FAKE_API_KEY", KEY)
    monkeypatch.setattr("runner.pipeline.HOSTED_POLL_S", 0.01)
    monkeypatch.setattr("runner.pipeline.SETTLE_S", 0.0)
    assert os.environ["XDG_CONFIG_HOME"]
    return fake_host


@pytest.fixture
def local_recipe(recipe: Path) -> Path:
    """The same recipe for the embedded service."""
    text = recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    recipe.write_text(text)
    return recipe
