"""A Hugging Face hub on loopback that takes commits, as huggingface_hub sends them."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class FakeHub:
    """What it was sent: repositories with whether they are private, and their commits."""

    url: str = ""
    repositories: dict[str, bool] = field(default_factory=dict)
    commits: list[tuple[str, str, dict[str, bytes]]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    refuses: bool = False

    def create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A new repository, or 409 for one that is there."""
        name = f"{body['organization']}/{body['name']}"
        if self.refuses:
            return 403, {"error": "You don't have the rights to create a model under this namespace"}
        if name in self.repositories:
            return 409, {"error": "You already created this model repo", "url": f"{self.url}/{name}"}
        self.repositories[name] = body["visibility"] == "private"
        return 200, {"url": f"{self.url}/{name}", "name": name}

    def commit(self, name: str, lines: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        """A commit of whole files."""
        values = [(line["key"], line["value"]) for line in lines]
        files = {value["path"]: base64.b64decode(value["content"]) for key, value in values if key == "file"}
        self.commits.append((name, dict(values)["header"]["summary"], files))
        oid = f"{len(self.commits):040x}"
        return 200, {"commitOid": oid, "commitUrl": f"{self.url}/{name}/commit/{oid}", "hookOutput": ""}


@contextmanager
def start_fake_hub() -> Iterator[FakeHub]:
    """A hub that runs as long as the block."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = "/".join(self.path.split("/")[3:5])
            known = name in hub.repositories
            self.answer(200 if known else 404, {"id": name, "sha": "0" * 40, "siblings": []} if known else {})

        def do_POST(self) -> None:
            hub.tokens.add(self.headers.get("authorization"))
            body = self.rfile.read(int(self.headers["content-length"]))
            _, _, path = self.path.partition("/api/")
            name = "/".join(path.split("/")[1:3])
            if path == "validate-yaml":
                self.answer(200, {"errors": [], "warnings": []})
            elif path == "repos/create":
                self.answer(*hub.create(json.loads(body)))
            elif "/preupload/" in path:
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                self.answer(200, {"files": files})
            else:
                self.answer(*hub.commit(name, [json.loads(line) for line in body.splitlines()]))

        def answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
