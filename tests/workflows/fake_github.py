"""GitHub's API on loopback: pull requests, artefacts and comments, and what was asked of it."""

import io
import json
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/recipes"
TOKEN = "ghs-test-token"
PAGE = 100


def zipped(content: bytes, name: str = "review.md", **others: bytes) -> bytes:
    """An artefact as upload-artifact makes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {name: content, **others}.items():
            archive.writestr(member, data)
    return stream.getvalue()


@dataclass
class FakeGitHub:
    """One repository; artefacts are downloaded from another address, as GitHub's are."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    artefacts: dict[str, bytes] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    tokens: dict[str, str | None] = field(default_factory=dict)
    url: str = ""
    storage: str = ""

    def open_pull(self, number: int, sha: str, repository_id: int = 7, ref: str = "topic") -> None:
        """Open a pull request from a fork."""
        head = {"sha": sha, "ref": ref, "repo": {"id": repository_id, "owner": {"login": "stranger"}}}
        self.pulls.append({"number": number, "head": head})

    def comment(self, number: int, body: str, author: str = "github-actions[bot]") -> None:
        """Write a comment."""
        listed = self.comments.setdefault(number, [])
        identity = 1 + sum(map(len, self.comments.values()))
        listed.append({"id": identity, "user": {"login": author}, "body": body})

    def bodies(self, number: int) -> list[str]:
        """The comments of a pull request."""
        return [item["body"] for item in self.comments.get(number, [])]

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON or bytes, and headers."""
        split = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        path = split.path.removeprefix(f"/repos/{REPOSITORY}")
        parts = path.strip("/").split("/")
        self.requests.append(f"{method} {path}")
        if method != "GET":
            self.changes.append(f"{method} {path}")
        match (method, parts):
            case ("GET", ["pulls"]):
                owner, _, ref = query["head"].partition(":")
                found = [
                    pull
                    for pull in self.pulls
                    if (pull["head"]["repo"]["owner"]["login"], pull["head"]["ref"]) == (owner, ref)
                ]
                return 200, found, {}
            case ("GET", ["actions", "runs", "42", "artifacts"]):
                listed = [
                    {"id": number, "name": name, "expired": False, "size_in_bytes": len(data)}
                    for number, (name, data) in enumerate(self.artefacts.items(), start=900)
                    if name == query["name"]
                ]
                return 200, {"artifacts": listed}, {}
            case ("GET", ["actions", "artifacts", _, "zip"]):
                return 302, b"", {"Location": f"{self.storage}/blob?signature=s"}
            case ("GET", ["blob"]):
                return 200, next(iter(self.artefacts.values())), {}
            case ("GET", ["issues", number, "comments"]):
                first = (int(query["page"]) - 1) * PAGE
                return 200, self.comments.get(int(number), [])[first : first + PAGE], {}
            case ("POST", ["issues", number, "comments"]):
                self.comment(int(number), json.loads(body)["body"])
                return 201, {}, {}
            case ("PATCH" | "DELETE", ["issues", "comments", identity]):
                return self.change(int(identity), json.loads(body)["body"] if body else None)
        return 404, {"message": "Not Found"}, {}

    def change(self, identity: int, body: str | None) -> tuple[int, Any, dict[str, str]]:
        """Edit or delete a comment."""
        for listed in self.comments.values():
            for item in list(listed):
                if item["id"] == identity and body is None:
                    listed.remove(item)
                    return 204, b"", {}
                if item["id"] == identity:
                    item["body"] = body
                    return 200, item, {}
        return 404, {}, {}


def start(github: FakeGitHub) -> tuple[str, Any]:
    """Serve it; returns the address and what stops it."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            github.tokens[urlsplit(self.path).path] = self.headers.get("Authorization")
            status, content, headers = github.answer(self.command, self.path, body)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = respond  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return f"http://127.0.0.1:{server.server_port}", stop
