"""The dashboard command: an address of the running service, and what the lockfiles know."""

import http.client
import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.cli.dashboard import _page
from runner.cli.host_options import user_hosts
from runner.errors import ProviderError
from runner.project import find_project
from runner.providers.local_service import ServiceAddress, stop_service
from runner.upkeep.known_jobs import known_jobs
from tests.cli.conftest import Call
from tests.fake_host import FakeHost


def get(url: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, cookie and text of an answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, (response.getheader("set-cookie") or "").partition(";")[0], text


def test_a_hosted_job_of_a_lockfile_is_on_the_page(recipe: Path, hosted: FakeHost, call: Call) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    call("run", recipe, "--yes")
    try:
        outcome = call("dashboard")
        url = outcome.out.strip()
        status, cookie, _ = get(url)
        _, _, page = get(url.partition("?")[0], cookie)
    finally:
        stop_service(recipe.parent / ".finetune")

    assert (0, 303) == (outcome.code, status)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?key=[\w-]{32}\n", outcome.out)
    assert "It opens once. `finetune dashboard` gives another address.\n" == outcome.err
    assert "ft:base-1:org::1" in page
    assert os.environ["FAKE_API_KEY"] not in page


def test_lockfiles_anywhere_in_the_project_are_read(recipe: Path, hosted: FakeHost, call: Call) -> None:
    call("run", recipe, "--yes")
    inner, skipped = recipe.parent / "more", recipe.parent / "node_modules"
    for folder in (inner, skipped):
        folder.mkdir()
        (folder / "a.lock.yaml").write_bytes((recipe.parent / "faq.lock.yaml").read_bytes())
    (recipe.parent / "broken.lock.yaml").write_text("<<<<<<< ours\n")
    found = known_jobs(find_project(recipe.parent), user_hosts())
    nobody = known_jobs(find_project(recipe.parent))

    assert ["faq", "more/a"] == [job["recipe"] for job in found]
    assert {
        "id": "ftjob-1",
        "recipe": "faq",
        "run": "default",
        "provider": "fake",
        "status": "succeeded",
        "model": "base-1",
        "fine_tuned_model": "ft:base-1:org::1",
        "method": "supervised",
        "base_model": "base-1",
        "trained_tokens": 1700,
        "price": "$1.70",
        "arithmetic": "1,700 trained tokens × $1000 per million tokens (table of 2026-11-22), rounded up",
    } == json.loads(json.dumps(found[0]))
    # Without the user's host entries nobody knows what `fake` costs.
    assert [(None, None)] * 2 == [(job["price"], job["arithmetic"]) for job in nobody]


def test_a_service_without_a_dashboard() -> None:
    """Port 9 is closed."""
    with pytest.raises(ProviderError) as caught:
        _page(ServiceAddress(base_url="http://127.0.0.1:9/v1", token="t", pid=1), [])

    assert (
        "the local service at http://127.0.0.1:9 did not answer for its dashboard (ConnectError). If it is "
        "of an earlier version, `finetune serve --stop` stops it; then try again."
    ) == str(caught.value)


def test_hosted_jobs_are_followed_to_their_ends(recipe: Path, hosted: FakeHost, call: Call) -> None:
    """The page shows what the host says; the lockfile and the host are left alone."""
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    call("run", recipe, "--yes")
    lock = recipe.with_name("faq.lock.yaml")
    lock.write_text(lock.read_text().replace("status: succeeded", "status: running"))
    locked, n_asked = lock.read_text(), len(hosted.requests)
    try:
        outcome = call("dashboard", "--follow")
        url = outcome.out.strip()
        _, cookie, _ = get(url)
        _, _, page = get(url.partition("?")[0], cookie)
    finally:
        stop_service(recipe.parent / ".finetune")

    assert 0 == outcome.code
    assert [
        "It opens once. `finetune dashboard` gives another address.",
        "Asking fake about unfinished jobs; Ctrl-C stops asking, not the jobs.",
        "ftjob-1: succeeded",
        "All have ended. `finetune refresh` locks what became of them.",
    ] == outcome.err.splitlines()
    assert '<span class="status succeeded">succeeded</span>' in page
    assert "ago</span>" in page
    assert os.environ["FAKE_API_KEY"] not in page
    assert locked == lock.read_text()
    assert {"GET"} == {request.split()[0] for request in hosted.requests[n_asked:]}


def test_without_unfinished_jobs_nobody_is_asked(recipe: Path, hosted: FakeHost, call: Call) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    try:
        outcome = call("dashboard", "--follow")
    finally:
        stop_service(recipe.parent / ".finetune")

    assert (0, "No job at a hosted provider is unfinished.") == (outcome.code, outcome.err.splitlines()[-1])
    assert [] == hosted.requests
