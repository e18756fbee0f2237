"""The dashboard in a real Chromium: live, by keyboard, on a phone, and to itself."""

from collections.abc import Iterator

import openai
import pytest

from tests.browser import Browser, needs_chromium, open_browser
from tests.local.dashboard.pages import key_path
from tests.local.fake_worker import SUCCEEDS, WAITS
from tests.local.harness import RunningService, finished, upload, wait_for

pytestmark = [pytest.mark.long, needs_chromium]
HOSTED = {
    "id": "ftjob-hosted",
    "recipe": '"><img src=x onerror=alert(1)>',
    "provider": "openai",
    "status": "x",
}
TEXT = "document.querySelector('#main').innerText"


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory, service: RunningService) -> Iterator[Browser]:
    """A browser that was let in."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as opened:
        opened.resize(1200)
        opened.open(service.url + key_path(service, [HOSTED]))
        yield opened


def inert(browser: Browser, service: RunningService) -> bool:
    """Whether the page asked for nothing but itself and complained of nothing."""
    assert [] == browser.complaints
    return all(url.startswith(f"{service.url}/") for url in browser.requests)


def test_a_job_is_followed_paused_resumed_and_cancelled_by_keyboard(
    browser: Browser, service: RunningService, client: openai.OpenAI
) -> None:
    """The status changes without a reload."""
    job = client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=WAITS)
    browser.wait(lambda: job.id in browser.value(TEXT))
    browser.value(f"document.getElementById('job-{job.id}').focus()")
    browser.load(lambda: browser.press("Enter"))
    browser.wait(lambda: "Loss" in browser.value(TEXT) and "running" in browser.value(TEXT))

    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        browser.wait(lambda wanted=verb: browser.value(f"!!document.getElementById('do-{wanted}')"))
        browser.value(f"document.getElementById('do-{verb}').focus()")
        browser.load(lambda: browser.press("Enter"))
        assert browser.value(TEXT).startswith(f"{verb.capitalize()} this job?")
        browser.value("document.querySelector('button').focus()")
        browser.load(lambda: browser.press("Enter"))
        browser.wait(
            lambda wanted=status: wanted in browser.value("document.querySelector('.status').innerText")
        )
    assert "cancelled" == client.fine_tuning.jobs.retrieve(job.id).status
    assert inert(browser, service)


def test_the_numbers_stay_open_while_the_page_looks_for_news(
    browser: Browser, service: RunningService, client: openai.OpenAI
) -> None:
    """Opened by keyboard; what changed is put in around them."""
    job = client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=WAITS)
    browser.open(f"{service.url}/dashboard/jobs/{job.id}")
    browser.wait(lambda: browser.value("!!document.getElementById('numbers-loss')"))
    browser.value("document.getElementById('numbers-loss').focus()")
    browser.press("Enter")
    # Something that the page of the service has not, so that the next look puts in everything again.
    browser.value("document.querySelector('#charts figcaption').append('stale')")
    browser.wait(lambda: not browser.value("document.querySelector('#charts').innerText.includes('stale')"))

    assert browser.value("document.getElementById('numbers-loss').parentElement.open")
    assert "numbers-loss" == browser.value("document.activeElement.id")
    assert inert(browser, service)
    client.fine_tuning.jobs.cancel(job.id)


def test_a_finished_model_answers(browser: Browser, service: RunningService, client: openai.OpenAI) -> None:
    job = client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=SUCCEEDS)
    done = finished(client, job.id)
    browser.open(f"{service.url}/dashboard/jobs/{job.id}")
    browser.value("document.getElementById('do-chat').focus()")
    browser.load(lambda: browser.press("Enter"))

    assert done.fine_tuned_model == browser.value("document.querySelector('select').value")
    assert "question" == browser.value("document.activeElement.id")
    browser.type("<b>안녕</b> 하세요")
    browser.press("Tab")
    browser.load(lambda: browser.press("Enter"))
    assert ["<b>안녕</b> 하세요", "<b>안녕</b> 하세요"] == browser.value(
        "[...document.querySelectorAll('.turns dd')].map(e => e.innerText.trim())"
    )
    assert inert(browser, service)


@pytest.mark.parametrize("width", [360, 390, 768])
def test_nothing_is_wider_than_a_phone(
    browser: Browser, service: RunningService, client: openai.OpenAI, width: int
) -> None:
    job = client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=SUCCEEDS)
    finished(client, job.id)
    browser.resize(width)
    for path in ("/", f"/dashboard/jobs/{job.id}", "/dashboard/chat"):
        browser.open(service.url + path)
        assert width == browser.value("document.documentElement.scrollWidth")


def test_the_cookie_is_out_of_reach_and_data_is_text(browser: Browser, service: RunningService) -> None:
    wait_for(lambda: "onerror" in browser.value(TEXT))

    assert "" == browser.value("document.cookie")
    assert 0 == browser.value("document.querySelectorAll('img').length")
    assert inert(browser, service)
