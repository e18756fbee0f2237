"""Downloads: the right bytes or nothing, from checked addresses only."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.errors import InvalidInputError
from runner.sources.addresses import is_public, public_addresses, url_problem
from runner.sources.download import Network, download

CONTENT = '{"title": "가"}\n'.encode() * 1_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"

Answer = Callable[[socket.socket, str], None]


class Server:
    """Answers every request on loopback with what a test says; remembers what was asked for."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: Answer = plain
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, path: str = "/data/a.jsonl", host: str = "data.example.com") -> str:
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(10_000).decode()
                self.requests.append(request)
                try:
                    self.answer(connection, request.split(" ")[1])
                except OSError:
                    continue


def plain(connection: socket.socket, _: str) -> None:
    connection.sendall(OK + f"Content-Length: {len(CONTENT)}\r\n\r\n".encode() + CONTENT)


def answering(content: bytes) -> Answer:
    return lambda connection, _: connection.sendall(content)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def loopback(**parts: object) -> Network:
    """A network where every name is this machine and this machine is allowed, for these tests alone."""
    return Network(resolve=lambda *_: ["127.0.0.1"], is_allowed=lambda _: True, **parts)  # type: ignore[arg-type]


def problem(url: str, folder: Path, network: Network, sha256: str = SHA256) -> str:
    with pytest.raises(InvalidInputError) as caught:
        download(url, sha256, folder / "in" / "a.jsonl", network)
    left = [path.name for path in (folder / "in").iterdir()] if (folder / "in").exists() else []
    assert [] == left
    return str(caught.value).removeprefix(f"{url}: ")


def test_a_file_is_kept_whole(server: Server, tmp_path: Path) -> None:
    download(server.url("/a b?x=1".replace(" ", "%20")), SHA256, tmp_path / "in" / "a.jsonl", loopback())

    assert CONTENT == (tmp_path / "in" / "a.jsonl").read_bytes()
    assert 0o644 == (tmp_path / "in" / "a.jsonl").stat().st_mode & 0o777
    [request] = server.requests
    lines = request.split("\r\n")
    assert "GET /a%20b?x=1 HTTP/1.1" == lines[0]
    assert f"Host: data.example.com:{server.port}" in lines
    assert not any(line.lower().startswith(("authorization", "cookie")) for line in lines)


def test_other_content_is_not_kept(server: Server, tmp_path: Path) -> None:
    wanted = "0" * 64

    assert (
        f"found content with the sha256 {SHA256}, expected {wanted}. If the new content is meant, review it "
        "and change `sha256`." == problem(server.url(), tmp_path, loopback(), wanted)
    )


def test_a_body_that_breaks_off_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.answer = answering(OK + b"Content-Length: 99999\r\n\r\n" + CONTENT)
    assert f"found {len(CONTENT)} bytes, expected 99999 as the server announced. Try again." == problem(
        server.url(), tmp_path, loopback()
    )

    server.answer = answering(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nshort")
    assert problem(server.url(), tmp_path, loopback()).startswith("found an answer that breaks off (")


def test_a_body_that_trickles_is_given_up(server: Server, tmp_path: Path) -> None:
    """The clock is the test's: each look at it is a minute later."""
    minutes = iter(range(0, 6_000, 60))
    network = loopback(monotonic=lambda: float(next(minutes)), min_bytes_per_s=1_000.0, patience_s=30.0)
    server.answer = answering(OK + b"\r\n" + CONTENT[:700])

    assert (
        "found 700 bytes after 60 s, expected at least 1000 a second. "
        "Try again later, or download the file by hand." == problem(server.url(), tmp_path, network)
    )


def test_a_silent_server_is_given_up(server: Server, tmp_path: Path) -> None:
    release = threading.Event()
    server.answer = lambda *_: release.wait(5) and None

    found = problem(server.url(), tmp_path, loopback(timeout_s=0.2))

    release.set()
    assert "found no answer for 0.2 s, expected the file. Try again later." == found


def test_too_many_bytes_are_refused_announced_or_not(server: Server, tmp_path: Path) -> None:
    advice = "expected at most 1000. Download the file by hand and use `path`."
    assert f"found {len(CONTENT)} bytes or more, {advice}" == problem(
        server.url(), tmp_path, loopback(max_bytes=1_000)
    )

    server.answer = answering(OK + b"\r\n" + CONTENT)
    assert advice in problem(server.url(), tmp_path, loopback(max_bytes=1_000))


def test_redirects_stay_on_the_host(server: Server, tmp_path: Path) -> None:
    def answer(connection: socket.socket, path: str) -> None:
        if path == "/old":
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
        else:
            plain(connection, path)

    server.answer = answer
    download(server.url("/old"), SHA256, tmp_path / "a.jsonl", loopback())

    assert CONTENT == (tmp_path / "a.jsonl").read_bytes()


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/secret", "https://data.example.com/a", "file:///etc/passwd", "//evil.example.com/a"],
)
def test_redirects_elsewhere_are_not_followed(location: str, server: Server, tmp_path: Path) -> None:
    server.answer = answering(
        f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    shown = f"http:{location}" if location.startswith("//") else location

    assert (
        f"found a redirect to '{shown}', expected the file itself. "
        "If you trust that address, write it in the recipe." == problem(server.url(), tmp_path, loopback())
    )
    assert 1 == len(server.requests)


def test_redirects_without_end_are_given_up(server: Server, tmp_path: Path) -> None:
    server.answer = answering(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    assert "found redirects without end, expected the file. Correct the address." == problem(
        server.url(), tmp_path, loopback()
    )


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "found the answer 404 Not Found, expected the file. Correct the address.",
        ),
        (
            b"",
            "found an answer that is no HTTP (Remote end closed connection without response), expected one.",
        ),
        (b"SSH-2.0-x\r\n", "found an answer that is no HTTP (SSH-2.0-x), expected one. Correct the address."),
    ],
)
def test_other_answers_are_named(answer: bytes, found: str, server: Server, tmp_path: Path) -> None:
    server.answer = answering(answer)

    assert problem(server.url(), tmp_path, loopback()).startswith(found)


def test_a_name_without_an_address_is_named(tmp_path: Path) -> None:
    def resolve(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert (
        "found no way to the file (Name or service not known), expected it. Check the address and the "
        "network." == problem("https://nowhere.example.com/a", tmp_path, Network(resolve=resolve))
    )


def test_this_machine_is_not_reached_unless_a_test_allows_it(server: Server, tmp_path: Path) -> None:
    network = Network(resolve=lambda *_: ["127.0.0.1"])

    assert (
        "found 'data.example.com' at 127.0.0.1, which is not a public address, expected one. "
        "A recipe cannot reach into private networks." == problem(server.url(), tmp_path, network)
    )
    assert [] == server.requests


def test_a_name_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    """Rebinding: the second answer of a hostile name server would be another address."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    network = Network(resolve=lambda *_: next(answers), is_allowed=lambda address: address == "127.0.0.1")

    download(server.url(), SHA256, tmp_path / "a.jsonl", network)

    assert [["10.0.0.1"]] == list(answers)


def test_one_private_address_among_public_ones_is_enough() -> None:
    parts = urlsplit("https://data.example.com/a")

    assert [("93.184.216.34", 443)] == public_addresses(parts, lambda *_: ["93.184.216.34"], is_public)
    with pytest.raises(ValueError, match="is not a public address"):
        public_addresses(parts, lambda *_: ["93.184.216.34", "169.254.169.254"], is_public)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "255.255.255.255", "224.0.0.1", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "not an "
     "address"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["https://127.1/a", "https://0x7f.1/a", "https://2130706433/a", "https://[::1]/a"]
)
def test_numbers_that_stand_for_this_machine_are_resolved_first(url: str) -> None:
    """Nothing is judged by how it is written."""
    assert "" == url_problem(url)
    with pytest.raises(ValueError, match="is not a public address"):
        public_addresses(
            urlsplit(url), lambda host, port: [socket.getaddrinfo(host, port)[0][4][0]], is_public
        )
