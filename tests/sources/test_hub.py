"""Datasets of the hub: one commit, only files of records, each compared with what the commit says."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runner.errors import InvalidInputError
from runner.recipe.parse import source_from_dict
from runner.sources.hub import download_dataset
from tests.sources.conftest import Read

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra `huggingface`)")

COMMIT = "a" * 40
SOURCE = {"hub": "org/name", "revision": COMMIT, "files": "data/*.jsonl"}
FILES = {
    "data/b.jsonl": b'{"a": 2}\n',
    "data/a.jsonl": b'{"a": 1}\n',
    "data/large.csv": b"a\n3\n",
    "data/.hidden.jsonl": b"{}\n",
    "name.py": b"import os\n",
}
# Kept as a large file: named by its sha256.
LARGE = {"data/large.csv"}


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Hub:
    """A hub on loopback with one dataset; `files` is what it sends, whatever it says."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.requests: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                hub.requests.append(self.path)
                hub.answer(self, with_body=True)

            def do_HEAD(self) -> None:  # noqa: N802
                hub.answer(self, with_body=False)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        polling = {"poll_interval": 0.01}
        threading.Thread(target=self.server.serve_forever, kwargs=polling, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler, *, with_body: bool) -> None:
        path = handler.path.split("?")[0]
        base = f"/datasets/org/name/resolve/{COMMIT}/"
        headers = {"X-Repo-Commit": COMMIT}
        if path == f"/api/datasets/org/name/tree/{COMMIT}":
            content = json.dumps([entry(name, content) for name, content in FILES.items()]).encode()
            headers["Content-Type"] = "application/json"
        elif path.startswith(base) and path.removeprefix(base) in self.files:
            content = self.files[path.removeprefix(base)]
            headers["ETag"] = f'"{git_hash(content)}"'
        else:
            headers["X-Error-Code"] = "RevisionNotFound" if "org/name" in path else "RepoNotFound"
            handler.send_response(404)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if with_body:
            handler.wfile.write(content)


def entry(name: str, content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": git_hash(content)}
    if name in LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        found["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 100}
    return found


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    # The tests of training keep the library off the network, for the whole process.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    made = Hub()
    yield made
    made.server.shutdown()
    made.server.server_close()


def fetch(read: Read, server: Hub, **changes: str) -> dict[str, str]:
    source = {**SOURCE, **changes}
    download_dataset(source_from_dict(source), read.project, server.url)
    return source


def problem(read: Read, server: Hub, **changes: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        fetch(read, server, **changes)
    return str(caught.value)


def test_matching_files_are_read_in_the_order_of_their_names(read: Read, hub: Hub) -> None:
    source = fetch(read, hub)

    assert [{"a": 1}, {"a": 2}] == read.records(source)
    assert [
        (f".finetune/hub/org/name/{COMMIT}/data/a.jsonl", 1),
        (f".finetune/hub/org/name/{COMMIT}/data/b.jsonl", 1),
    ] == read.rows(source)


def test_large_files_are_compared_by_their_sha256(read: Read, hub: Hub) -> None:
    assert [{"a": "3"}] == read.records(fetch(read, hub, files="**/large.*"))


def test_nothing_is_read_that_was_not_downloaded(read: Read, hub: Hub) -> None:
    fetch(read, hub)

    assert (
        "org/name: data/a.jsonl: found no downloaded copy, expected one. Download it once with "
        "--allow-network." == read.problem({**SOURCE, "files": "data/a.jsonl"})
    )


def test_other_content_than_the_commit_says_is_refused(read: Read, hub: Hub) -> None:
    hub.files["data/b.jsonl"] = b'{"a": 9}\n'
    found, expected = git_hash(b'{"a": 9}\n'), git_hash(FILES["data/b.jsonl"])

    assert (
        f"org/name: data/*.jsonl: found 'data/b.jsonl' with the hash {found}, expected {expected}. "
        "Try again later." == problem(read, hub)
    )
    assert "found no downloaded copy" in read.problem(SOURCE)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"files": "*.parquet"},
            "org/name: *.parquet: found no file that matches, expected at least one. The dataset has "
            "'data/b.jsonl', 'data/a.jsonl', 'data/large.csv', 'data/.hidden.jsonl', 'name.py'.",
        ),
        (
            {"files": "name.py"},
            "org/name: name.py: found 'name.py', expected files of records: loading scripts are never run. "
            "Narrow `files`, or set `format`.",
        ),
        (
            {"revision": "b" * 40},
            "org/name: data/*.jsonl: found no such commit in the dataset, expected one. Correct `revision`.",
        ),
        (
            {"hub": "org/nothing"},
            "org/nothing: data/*.jsonl: found no such dataset, expected one that is public or that "
            "HF_TOKEN may "
            "read. Correct `hub`.",
        ),
    ],
)
def test_what_is_not_there_is_named(changes: dict[str, str], found: str, read: Read, hub: Hub) -> None:
    assert found == problem(read, hub, **changes)
