"""A folder becomes a commit on the hub."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sharing.fake_hub import FakeHub, start_fake_hub

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with start_fake_hub() as started:
        yield started


def pushed(hub: FakeHub, folder: Path, *, is_public: bool = False) -> str:
    """What came of a push, in a process of its own: the hub's library reads its settings once."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    program = (
        "import sys\nfrom pathlib import Path\nfrom runner.errors import RunnerError\n"
        "from runner.sharing.hub import push\n"
        "try: print(push(Path(sys.argv[1]), 'owner/name', 'ftjob-1', is_public=sys.argv[2] == 'True'))\n"
        "except RunnerError as error: print(f'error: {error}')\n"
    )
    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "hf_test",
        "HOME": os.environ["HOME"],
        "PYTHONPATH": str(REPOSITORY),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", program, str(folder), str(is_public)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text("---\nlibrary_name: peft\n---\n# 가이드\n")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    return tmp_path


@pytest.mark.long
def test_a_new_repository_is_private_and_takes_commits(hub: FakeHub, folder: Path) -> None:
    first = pushed(hub, folder)
    second = pushed(hub, folder, is_public=True)

    assert f"{hub.url}/owner/name/commit/{1:040x}" == first
    assert f"{hub.url}/owner/name/commit/{2:040x}" == second
    assert {"owner/name": True} == hub.repositories
    name, summary, files = hub.commits[0]
    assert ("owner/name", "ftjob-1") == (name, summary)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert {"Bearer hf_test"} == hub.tokens


def test_a_refusal_is_a_sentence(hub: FakeHub, folder: Path) -> None:
    hub.refuses = True
    said = pushed(hub, folder)

    assert said.startswith("error: the Hugging Face hub says: ")
    assert "You don't have the rights to create a model under this namespace" in said
    assert [] == hub.commits
