"""Sources that reach outside the project: only by what the person at the keyboard says."""

import gzip
import hashlib
import io
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from runner.cli.main import finetune
from runner.sources import download
from runner.sources.download import Network
from tests.cli.conftest import Call
from tests.fake_host import FakeHost
from tests.small_project import RECIPE
from tests.sources.test_download import Server, plain

ROWS = [{"id": n, "question": f"Where is {n}?", "answer": f"It is there, {n}."} for n in range(12)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
SHA256 = hashlib.sha256(LINES.encode()).hexdigest()
STORED = f".finetune/sources/{SHA256[:16]}"


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve other records on the standard input."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LINES.encode()), isatty=lambda: False))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server on loopback, which this test alone is allowed to reach."""
    made = Server()
    made.answer = lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + LINES.encode())
    network = Network(resolve=lambda *_: ["127.0.0.1"], is_allowed=lambda _: True)
    monkeypatch.setattr(download, "Network", lambda: network)
    return made


def with_source(recipe: Path, source: str) -> None:
    recipe.write_text(RECIPE.replace("  - path: faq.jsonl\n", source))


def inputs(recipe: Path) -> list[str]:
    """The names of the sources in the lockfile."""
    text = recipe.with_name("faq.lock.yaml").read_text()
    return [line.split(": ", 1)[1] for line in text.splitlines() if line.strip().startswith("name: ")]


def test_stdin_is_read_in_the_place_of_a_source(
    recipe: Path, hosted: FakeHost, call: Call, stdin: None
) -> None:
    with_source(recipe, "  - {name: faq, path: faq.jsonl}\n")

    shown = call("preview", recipe, "-n", "1", "--source", "faq=-")

    assert 0 == shown.code, shown.err
    assert f"{STORED}/faq.jsonl: row 1, key 0" in shown.out
    assert "Where is 0?" in shown.out


def test_the_lock_tells_what_came_in(recipe: Path, hosted: FakeHost, call: Call, stdin: None) -> None:
    with_source(recipe, "  - {name: faq, path: '-', format: jsonl}\n")

    done = call("run", recipe, "--yes", "--source", "faq=-")

    assert 0 == done.code, done.err
    lock = recipe.with_name("faq.lock.yaml").read_text()
    assert f"{STORED}/faq" in lock
    assert SHA256 in lock
    assert (1, True) == ((found := call("verify", recipe)).code, "found no data, expected it" in found.err)


def test_data_from_the_command_line_has_to_come(recipe: Path, call: Call, hosted: FakeHost) -> None:
    with_source(recipe, "  - {name: faq, path: '-', format: jsonl}\n")

    assert (
        "faq.yaml:4:23: $.sources[0].path: faq: found no data, expected it from the command line. "
        "Pipe it in and add --source faq=-, or --source faq=FILE.\n" == call("build", recipe).err
    )


def test_a_file_is_read_in_the_place_of_a_source(
    recipe: Path, call: Call, hosted: FakeHost, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "other.jsonl"
    other.write_text(LINES)
    with_source(recipe, "  - {name: faq, path: faq.jsonl}\n")

    assert f"{STORED}/other.jsonl: row 1" in call("preview", recipe, "--source", f"faq={other}").out
    assert "faq.jsonl: row 1" in call("preview", recipe).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "faq"), "'faq' is not NAME=FILE or NAME=-."),
        (("--source", "faq=gone.jsonl"), "'gone.jsonl' is no file."),
        (("--source", "fag=faq.jsonl"), "--source fag: found no source called 'fag'. Did you mean 'faq'?"),
        (("--source", "faq=faq.jsonl", "--source", "faq=faq.jsonl"), "'faq' is given twice."),
        (("--source", "faq=-", "--source", "b=-"), "only one source can read the standard input."),
        (("--max-unpacked", "much"), "'much' is no size. Write 20GB or 512MiB."),
        (("--allow-path", "gone"), "Directory 'gone' does not exist."),
    ],
)
def test_wrong_options_are_usage_errors(
    arguments: tuple[str, ...], message: str, recipe: Path, call: Call, stdin: None, hosted: FakeHost
) -> None:
    with_source(recipe, "  - {name: faq, path: faq.jsonl}\n")

    found = call("build", recipe, *arguments)

    assert 2 == found.code
    assert message in found.err


def test_a_folder_outside_is_read_when_it_is_allowed(
    recipe: Path, call: Call, hosted: FakeHost, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    (shared / "faq.jsonl").write_text(LINES)
    (recipe.parent / "link.jsonl").symlink_to(shared / "faq.jsonl")
    with_source(recipe, "  - path: link.jsonl\n")

    refused, allowed = call("build", recipe), call("build", recipe, "--allow-path", shared)

    assert "link.jsonl: found a path outside the project, expected one inside it." in refused.err
    assert 0 == allowed.code, allowed.err
    assert f"../{shared.name}/faq.jsonl: row 1" in call("preview", recipe, "--allow-path", shared).out


@pytest.mark.parametrize("words", [("check",), ("why", "It is there, 7.")])
def test_whoever_reads_the_data_can_be_let_out(
    recipe: Path,
    hosted: FakeHost,
    call: Call,
    tmp_path_factory: pytest.TempPathFactory,
    words: tuple[str, ...],
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    (shared / "faq.jsonl").write_text(LINES)
    (recipe.parent / "link.jsonl").symlink_to(shared / "faq.jsonl")
    with_source(recipe, "  - path: link.jsonl\n")

    refused, allowed = call(*words, recipe), call(*words, recipe, "--allow-path", shared)

    assert (1, 0) == (refused.code, allowed.code), allowed.err


def test_every_command_that_reads_sources_takes_the_options_for_them() -> None:
    takers = {
        name
        for name in finetune.list_commands(click.Context(finetune))
        if any("--source" in option.opts for option in command_named(name).params)
    }

    assert {
        *("preview", "build", "check", "tokens", "plan", "diff", "verify", "run", "port", "rerun"),
        *("eval", "compare", "why", "report"),
    } == takers


def command_named(name: str) -> click.Command:
    found = finetune.get_command(click.Context(finetune), name)
    assert found is not None
    return found


def test_a_larger_packed_file_is_allowed(recipe: Path, call: Call, hosted: FakeHost) -> None:
    row = json.dumps({"id": 0, "question": "?", "answer": "x"})
    (recipe.parent / "faq.jsonl.gz").write_bytes(gzip.compress(f"{row}{' ' * 7_000_000}\n".encode() * 12))
    with_source(recipe, "  - path: faq.jsonl.gz\n")
    recipe.write_text(recipe.read_text().replace("key: id\n", ""))

    assert "found more than 67108864 bytes unpacked" in call("build", recipe).err
    assert "found more than 1048576 bytes unpacked" in call("build", recipe, "--max-unpacked", "1MiB").err
    allowed = call("build", recipe, "--max-unpacked", "200MB")
    assert 0 == allowed.code, allowed.err


def test_a_url_is_fetched_once_and_then_read_offline(
    recipe: Path, call: Call, hosted: FakeHost, server: Server
) -> None:
    url = server.url("/data/faq.jsonl")
    with_source(recipe, f"  - {{url: '{url}', sha256: {SHA256}}}\n")

    refused = call("plan", recipe)
    fetched = call("build", recipe, "--allow-network")
    offline = call("run", recipe, "--yes")

    assert (1, f"faq.yaml:4:5: $.sources[0]: {url}: found no downloaded copy, expected one. "
            "Download it once with --allow-network.\n") == (refused.code, refused.err)  # fmt: skip
    assert (0, f"downloading {url}\n") == (fetched.code, fetched.err)
    assert 0 == offline.code, offline.err
    assert 1 == len(server.requests)
    assert f"{STORED}/faq.jsonl" in recipe.with_name("faq.lock.yaml").read_text()
    assert 0 == call("verify", recipe).code


def test_a_changed_copy_is_not_read(recipe: Path, call: Call, hosted: FakeHost, server: Server) -> None:
    url = server.url("/faq.jsonl")
    with_source(recipe, f"  - {{url: '{url}', sha256: {SHA256}}}\n")
    call("build", recipe, "--allow-network")
    (recipe.parent / STORED / "faq.jsonl").write_text("{}\n")

    assert (
        f"{url}: found a changed copy in {STORED}/faq.jsonl, expected the sha256 {SHA256}. Remove the copy.\n"
        == call("build", recipe).err
    )


def test_this_machine_is_no_place_for_data(recipe: Path, call: Call, hosted: FakeHost) -> None:
    made = Server()
    made.answer = plain
    url = f"http://localhost:{made.port}/faq.jsonl"
    with_source(recipe, f"  - {{url: '{url}', sha256: {SHA256}}}\n")

    found = call("build", recipe, "--allow-network")

    assert 1 == found.code
    assert (
        "which is not a public address, expected one. A recipe cannot reach into private networks."
        in found.err
    )
    assert [] == made.requests


def test_diff_reads_what_was_downloaded(recipe: Path, call: Call, hosted: FakeHost, server: Server) -> None:
    with_source(recipe, f"  - {{url: '{server.url('/faq.jsonl')}', sha256: {SHA256}}}\n")
    assert 0 == call("build", recipe, "--allow-network").code
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(recipe.parent)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "faq.yaml", "finetune.toml"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    recipe.write_text(recipe.read_text().replace("{{ answer }}", "{{ answer }}!"))

    found = call("diff", recipe)

    assert 0 == found.code, found.err
    assert "12 changed" in found.out, found.out
