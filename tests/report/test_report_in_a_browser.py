"""The page of a report in a real Chromium: inert, by keyboard, on a phone, in the dark, on paper."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.report.run_html import report_html
from runner.report.run_report import RunReport
from tests.browser import Browser, needs_chromium, open_browser
from tests.report.run_reports import run_report
from tests.report.test_run_html import ELEMENTS, PAYLOADS

pytestmark = [pytest.mark.long, needs_chromium]
PAIRS = "[aria-labelledby=provenance] table.pairs tr"
VISIBLE = "[...document.querySelectorAll('.row')].filter(row => row.offsetHeight).length"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests here."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def show(browser: Browser, folder: Path, report: RunReport) -> str:
    """Open the page of a report; its address."""
    path = folder / "report.html"
    path.write_text(report_html(report), encoding="utf-8")
    browser.resize(1200)
    browser.media()
    browser.open(path.as_uri())
    return path.as_uri()


def test_a_hostile_report_does_nothing(browser: Browser, tmp_path: Path) -> None:
    """Every text in it is a payload."""
    address = show(browser, tmp_path, run_report(len(PAYLOADS), PAYLOADS))
    browser.value("document.querySelectorAll('details').forEach(item => item.open = true)")
    names = browser.value("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))]")
    links = browser.value("[...document.querySelectorAll('[href]')].map(e => e.getAttribute('href')[0])")

    assert set() == set(names) - set(ELEMENTS) - {"tbody"}
    assert {"#"} == set(links)
    assert [address] == browser.requests
    assert [] == browser.complaints


def test_a_report_of_ten_thousand_examples_opens(browser: Browser, tmp_path: Path) -> None:
    address = show(
        browser, tmp_path, run_report(10_000, ("긴 질문과 답변입니다. " * 60, "a long text " * 80))
    )

    assert 5_000_000 > (tmp_path / "report.html").stat().st_size
    assert [address] == browser.requests
    assert [] == browser.complaints
    assert 4 == browser.value(
        "[...document.querySelectorAll('svg.chart')].filter(e => e.clientHeight > 100).length"
    )


def test_wins_and_losses_are_browsed_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, run_report(40))
    assert 40 == browser.value(VISIBLE)

    browser.value("document.querySelector('#every').focus()")
    browser.press("ArrowRight")
    assert "won" == browser.value("document.activeElement.id")
    won = browser.value(VISIBLE)
    browser.press("ArrowRight")
    lost = browser.value(VISIBLE)
    browser.press("ArrowRight")
    equal = browser.value(VISIBLE)
    assert 40 == won + lost + equal
    assert 0 < won < 40

    browser.press("ArrowRight", "Tab", "Enter")
    assert "SUMMARY" == browser.value("document.activeElement.tagName")
    assert [True] == browser.value("[...document.querySelectorAll('.row[open]')].map(row => row.open)")


@pytest.mark.parametrize("width", [360, 390, 768])
def test_nothing_is_wider_than_a_phone(browser: Browser, tmp_path: Path, width: int) -> None:
    show(browser, tmp_path, run_report(40, ("가" * 400, "w" * 400, "상호 변경은 어떻게 하나요?")))
    browser.resize(width)

    assert width == browser.value("document.documentElement.scrollWidth")
    # A hash beside a long name has room for more than a letter on a line.
    assert 150 > browser.value(
        f"Math.max(...[...document.querySelectorAll('{PAIRS}')].map(e => e.offsetHeight))"
    )


def test_the_dark_and_the_paper(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, run_report(40))
    colour = "getComputedStyle(document.body).backgroundColor"
    light = browser.value(colour)
    browser.media(scheme="dark")
    dark = browser.value(colour)
    browser.media("print", scheme="dark")
    hidden = "getComputedStyle(document.querySelector('nav')).display"

    assert ("rgb(253, 253, 252)", "rgb(22, 24, 27)") == (light, dark)
    assert ("rgb(255, 255, 255)", "none") == (browser.value(colour), browser.value(hidden))
    assert base64.b64decode(browser.call("Page.printToPDF")["data"]).startswith(b"%PDF")


def test_nothing_is_wider_than_paper(browser: Browser, tmp_path: Path) -> None:
    """A4 with its margins has 680 CSS pixels."""
    show(browser, tmp_path, run_report(40, ("가" * 400, "w" * 400, "상호 변경은 어떻게 하나요?")))
    browser.resize(680)
    browser.media("print")

    assert 680 == browser.value("document.documentElement.scrollWidth")


def test_text_can_be_read(browser: Browser, tmp_path: Path) -> None:
    """Text and its background differ by 4.5 to 1 at least: WCAG 2.2, 1.4.3."""
    show(browser, tmp_path, run_report(40))
    ratio = """(() => {
      const linear = x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
      const light = c => { const v = c.map(x => linear(x / 255));
        return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
      const parse = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const back = light(parse(getComputedStyle(document.body).backgroundColor));
      const texts = document.querySelectorAll('p, td, th, a, dt, dd, h2, summary, li, label');
      return Math.min(...[...texts].map(e => {
        const fore = light(parse(getComputedStyle(e).color));
        return (Math.max(fore, back) + .05) / (Math.min(fore, back) + .05) })) })()"""
    light = browser.value(ratio)
    browser.media(scheme="dark")

    assert 4.5 < light
    assert 4.5 < browser.value(ratio)
