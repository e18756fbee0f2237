"""Hub models at a commit: from the lock, from the cache, from the hub."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.providers.base_models import BaseModel, pinned_name
from runner.providers.hub_models import HubModel, cached_commit, commit_of, parse_hub_name

REPOSITORY = Path(__file__).parents[2]
OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A cache that holds two commits of owner/name, the newer one as its main branch."""
    repository = tmp_path / "models--owner--name"
    for commit in (OLD, NEW):
        (repository / "snapshots" / commit).mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(NEW)
    (repository / "refs" / "gone").write_text("c" * 40)
    return {"HF_HUB_CACHE": str(tmp_path)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qwen/Qwen3-0.6B", HubModel(name="Qwen/Qwen3-0.6B", revision="main")),
        ("Qwen/Qwen3-0.6B@v1.0", HubModel(name="Qwen/Qwen3-0.6B", revision="v1.0")),
        ("owner/name@refs/pr/3", HubModel(name="owner/name", revision="refs/pr/3")),
        ("owner/name@../../x", None),
        ("owner/name@a/../../x", None),
        ("owner/name@", None),
        ("name", None),
        ("a/b/c", None),
    ],
)
def test_a_name_may_carry_a_revision(text: str, expected: HubModel | None) -> None:
    assert expected == parse_hub_name(text)


def test_a_commit_is_told_from_a_branch() -> None:
    assert (OLD, None, None) == tuple(map(commit_of, (f"owner/name@{OLD}", "owner/name@main", "owner/name")))


@pytest.mark.parametrize(
    ("revision", "commit"), [("main", NEW), (OLD, OLD), ("gone", None), ("d" * 40, None), ("v1", None)]
)
def test_the_cache_knows_its_commits(environment: dict[str, str], revision: str, commit: str | None) -> None:
    """A branch whose files are not there is not there."""
    assert commit == cached_commit(HubModel(name="owner/name", revision=revision), environment)


def test_the_locked_commit_stays_although_the_branch_moved(environment: dict[str, str]) -> None:
    model = BaseModel(name="owner/name", hub=parse_hub_name("owner/name"))

    assert f"owner/name@{NEW}" == pinned_name(model, None, environment, allow_network=False)
    assert f"owner/name@{OLD}" == pinned_name(model, OLD, environment, allow_network=False)


def test_a_locked_commit_that_is_not_here_needs_the_network(environment: dict[str, str]) -> None:
    """Another commit is no substitute."""
    model = BaseModel(name="owner/name", hub=parse_hub_name("owner/name"))
    with pytest.raises(RunnerError) as caught:
        pinned_name(model, "c" * 40, environment, allow_network=False)

    assert (
        f"the model owner/name at {'c' * 40} is not in this machine's Hugging Face cache "
        f"({environment['HF_HUB_CACHE']}), and a recipe may not use the network. "
        "Allow the download with --allow-network. Nothing was sent."
    ) == str(caught.value)
    assert f"owner/name@{'c' * 40}" == pinned_name(model, "c" * 40, environment, allow_network=True)


def test_other_models_keep_their_names() -> None:
    assert "tiny-1" == pinned_name(BaseModel(name="tiny-1"), None, {}, allow_network=False)


@pytest.fixture
def hub() -> Iterator[str]:
    """A hub on loopback that knows one revision of one model."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.startswith("/api/models/owner/name/revision/main")
            body = json.dumps({"id": "owner/name", "sha": NEW, "siblings": []} if known else {}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if not known:
                self.send_header("X-Error-Code", "RevisionNotFound")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def asked(endpoint: str, revision: str) -> str:
    """What the hub says, asked in a process of its own: its library reads its settings once."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub (the extra `local`) is not installed")
    program = (
        "import os, sys\n"
        "from runner.errors import RunnerError\n"
        "from runner.providers.hub_models import HubModel, asked_commit\n"
        "try: print(asked_commit(HubModel(name='owner/name', revision=sys.argv[1]), os.environ))\n"
        "except RunnerError as error: print(error)\n"
    )
    environment = {"HF_ENDPOINT": endpoint, "HOME": os.environ["HOME"], "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program, revision]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_hub_is_asked_where_the_cache_has_nothing(hub: str) -> None:
    assert NEW == asked(hub, "main")
    assert (
        "the Hugging Face hub has no model owner/name with the revision 'v9', or gives you no access to it. "
        "Nothing was sent."
    ) == asked(hub, "v9")


def test_a_hub_that_does_not_answer_is_a_sentence() -> None:
    assert (
        "the Hugging Face hub cannot be asked for owner/name: [Errno 111] Connection refused. "
        "Nothing was sent."
    ) == asked("http://127.0.0.1:9", "main")
