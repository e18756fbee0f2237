"""A job at a host ends while its page is open: a real Chromium, a real command that follows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.providers.local_service import stop_service
from tests.browser import Browser, needs_chromium, open_browser
from tests.cli.conftest import Call
from tests.fake_host import FakeHost

pytestmark = [pytest.mark.long, needs_chromium]
FIGURES = (
    "Object.fromEntries([...document.querySelectorAll('.figures div')]"
    ".map(e => [...e.children].map(c => c.innerText)))"
)
CHECKPOINTS = (
    "[...document.querySelectorAll('#results tbody tr')].map(e => [...e.cells].map(c => c.innerText))"
)


@contextmanager
def following(project: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`finetune dashboard --follow` in a project, and the address that it gave."""
    command = [sys.executable, "-m", "runner", "dashboard", "--follow"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
            stop_service(project / ".finetune")


def test_a_job_at_a_host_ends_while_its_page_is_open(
    recipe: Path, hosted: FakeHost, call: Call, tmp_path: Path
) -> None:
    """Status, price, checkpoints and model come in without a reload, and nothing of the key."""
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    call("run", recipe, "--yes")
    lock = recipe.with_name("faq.lock.yaml")
    told = ("status: succeeded", "trained_tokens: 1700", "fine_tuned_model: ft:base-1:org::1")
    lines = [line for line in lock.read_text().splitlines() if line.strip() not in told[1:]]
    lock.write_text("\n".join(lines).replace(told[0], "status: running") + "\n")
    hosted.job_status = "running"
    hosted.jobs["ftjob-1"] |= {"fine_tuned_model": None, "trained_tokens": None}

    with following(recipe.parent) as (process, url), open_browser(tmp_path) as browser:
        browser.resize(1200)
        browser.open(url)
        browser.wait(lambda: browser.value("!!document.getElementById('job-ftjob-1')"))
        browser.value("document.getElementById('job-ftjob-1').focus()")
        browser.load(lambda: browser.press("Enter"))
        before = figures(browser)
        browser.value("window.opened = 'once'")
        with hosted.lock:
            hosted.checkpoint_steps = (4, 8)
            hosted.job_status = "succeeded"
        browser.wait(lambda: figures(browser)["Status"] == "succeeded")
        after, page = figures(browser), browser.value("document.documentElement.outerHTML")

        assert ("running", "once") == (before["Status"], browser.value("window.opened"))
        assert {"Price, planned"} == before.keys() - after.keys()
        assert ("$1.70", "1,700") == (after["Price"], after["Trained tokens"])
        assert [
            ["4", "0.25", "ft:base-1:org::ftjob-1:ckpt-step-4"],
            ["8", "0.125", "ft:base-1:org::ftjob-1:ckpt-step-8"],
        ] == browser.value(CHECKPOINTS)
        assert "Model: ft:base-1:org::1" in browser.value("document.querySelector('#results').innerText")
        assert os.environ["FAKE_API_KEY"] not in page
        assert [] == browser.complaints
        assert 0 == process.wait(timeout=60)


def figures(browser: Browser) -> dict[str, str]:
    """What stands at the top of the page of a job, by name."""
    found: dict[str, str] = browser.value(FIGURES)
    return found
