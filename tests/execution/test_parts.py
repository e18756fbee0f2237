"""Large files go in parts: once, from a window, and on after an interruption."""

import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.dataset.value import DatasetFile
from runner.errors import ProviderError
from runner.execution import parts
from runner.execution.files import SoughtFile
from runner.execution.parts import Ledger, Window, upload_in_parts
from runner.providers.openai_client import connect
from runner.providers.openai_compatible import OpenAICompatible
from tests.fake_host import KEY, FakeHost

CONTENT = "".join(f'{{"n": {number}, "글": "가나다"}}\n' for number in range(40)).encode()
N_PARTS = 4


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of four parts, the last one short."""
    monkeypatch.setattr(parts, "PART_BYTES", len(CONTENT) // 3 - 10)
    file = tmp_path / "a.jsonl"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def sought() -> SoughtFile:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    file = DatasetFile(sha256=sha256, size_bytes=len(CONTENT), n_examples=40, n_tokens=0, tokens_exact=False)
    return SoughtFile(key="k", filename=f"faq-{sha256[:16]}.jsonl", file=file)


@pytest.fixture
def provider(fake_host: FakeHost) -> Iterator[OpenAICompatible]:
    with closing(connect("fake", fake_host.url, KEY)) as connected:
        yield connected


def sent_parts(host: FakeHost) -> int:
    return sum(request.endswith("/parts") for request in host.requests)


def test_the_parts_become_one_file(
    path: Path, sought: SoughtFile, provider: OpenAICompatible, fake_host: FakeHost, tmp_path: Path
) -> None:
    remote = upload_in_parts(provider, path, sought, Ledger(tmp_path / "l"), print)

    assert CONTENT == fake_host.contents[remote.id]
    assert (sought.filename, len(CONTENT)) == (remote.filename, remote.size_bytes)
    assert (N_PARTS, 1) == (sent_parts(fake_host), fake_host.uploads.total())


def test_an_interrupted_upload_sends_the_missing_parts(
    path: Path, sought: SoughtFile, provider: OpenAICompatible, fake_host: FakeHost, tmp_path: Path
) -> None:
    ledger, sends = Ledger(tmp_path / "l"), []
    send_part = provider.send_part

    def until_the_third(upload: str, content: Window) -> str:
        sends.append(content)
        if len(sends) > 2:
            raise KeyboardInterrupt
        return send_part(upload, content)

    provider.send_part = until_the_third  # type: ignore[assignment]
    parts_before = parts.AT_A_TIME
    try:
        parts.AT_A_TIME = 1
        with pytest.raises(KeyboardInterrupt):
            upload_in_parts(provider, path, sought, ledger, print)
    finally:
        parts.AT_A_TIME = parts_before
    provider.send_part = send_part  # type: ignore[method-assign]
    assert 2 == sent_parts(fake_host)
    remote = upload_in_parts(provider, path, sought, Ledger(tmp_path / "l"), print)

    assert CONTENT == fake_host.contents[remote.id]
    assert (N_PARTS, 1) == (sent_parts(fake_host), fake_host.uploads.total())
    assert 1 == fake_host.count("POST /uploads")


def test_an_upload_that_expired_is_begun_anew(
    path: Path, sought: SoughtFile, provider: OpenAICompatible, fake_host: FakeHost, tmp_path: Path
) -> None:
    ledger, said = Ledger(tmp_path / "l"), []
    begun = ledger.begin(sought.key, "upload-gone")
    ledger.add(sought.key, begun, 0, "part-gone")
    remote = upload_in_parts(provider, path, sought, ledger, said.append)

    assert CONTENT == fake_host.contents[remote.id]
    assert [f"upload-gone cannot be gone on with; uploading {sought.filename} anew"] == said
    assert 1 == fake_host.uploads.total()


def test_a_refused_part_makes_no_file(
    path: Path, sought: SoughtFile, provider: OpenAICompatible, fake_host: FakeHost, tmp_path: Path
) -> None:
    fake_host.faults["POST /uploads/upload-1/parts"] = ["400 no more space"]
    with pytest.raises(ProviderError, match="no more space"):
        upload_in_parts(provider, path, sought, Ledger(tmp_path / "l"), print)

    assert {} == fake_host.files


def test_a_ledger_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l")
    begun = ledger.begin("k", "upload-1")
    ledger.add("k", begun, 0, "part-1")
    with (tmp_path / "l").open("ab") as stream:
        stream.write(b'{"key": "k", "upl')
    ledger.add("k", begun, 1, "part-2")
    found = ledger.begun("k")

    assert found is not None
    assert ("upload-1", {0: "part-1", 1: "part-2"}) == (found.upload, found.parts)
    assert ledger.begun("other") is None
    ledger.give_up("k")
    assert ledger.begun("k") is None


def test_a_window_reads_like_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with (tmp_path / "a").open("rb") as stream:
        window = Window(stream, 4, 4)
        assert (b"45", b"67", b"") == (window.read(2), window.read(), window.read(1))
        assert 4 == window.seek(0, io.SEEK_END)
        assert (0, b"4567") == (window.seek(0), window.read())
        assert b"89" == Window(stream, 8, 4).read()
        assert b"" == Window(stream, 12, 4).read()


# Sends a file of 300 MB in parts of 64 MiB, four at a time; prints by how many bytes its memory grew.
SEND = """
import resource, sys
from pathlib import Path
from runner.dataset.value import DatasetFile
from runner.execution.files import SoughtFile
from runner.execution.parts import Ledger, upload_in_parts
from runner.providers.openai_client import connect
folder, url, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def sought(name, n_bytes):
    (folder / name).open("wb").truncate(n_bytes)
    file = DatasetFile(sha256="0", size_bytes=n_bytes, n_examples=1, n_tokens=0, tokens_exact=False)
    return SoughtFile(key=name, filename=name, file=file)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
provider, ledger = connect("fake", url, "key"), Ledger(folder / "ledger")
upload_in_parts(provider, folder / "small", sought("small", 1_000), ledger, print)
before = peak()
upload_in_parts(provider, folder / "large", sought("large", size), ledger, print)
print(peak() - before)
"""


class Forgetful(BaseHTTPRequestHandler):
    """Counts the bytes of parts and keeps none of them."""

    n_bytes = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        with self.lock:
            type(self).n_bytes += int(self.headers["Content-Length"]) if self.path.endswith("/parts") else 0
        answer: dict[str, Any] = {"id": "an-id", "file": {"id": "file-1", "filename": "large", "bytes": 1}}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


@pytest.mark.long
def test_an_upload_of_300_megabytes_takes_little_memory(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    size = 300_000_000
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        command = [sys.executable, "-c", SEND, str(tmp_path), url, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        server.shutdown()
        server.server_close()

    assert size <= Forgetful.n_bytes < size + 10_000
    assert int(done.stdout) < 16 << 20
