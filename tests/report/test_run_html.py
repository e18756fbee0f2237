"""The page of a report, read with a parser: inert, complete, small."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from runner.report.run_data import report_data
from runner.report.run_html import report_html
from runner.report.run_report import RunReport
from tests.report.run_reports import locked_only, run_report

# What a terminal, a reader or a parser could be led astray by, and what looks like markup.
CONTROLS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\x00b",
    "\u200b",
    "\x85",
)
PAYLOADS = [*Path(__file__).with_name("payloads.txt").read_text(encoding="utf-8").splitlines(), *CONTROLS]
ELEMENTS = re.findall(
    r"\w+",
    "html head meta title style body a header h1 p nav ol li main dl div dt dd section h2 h3 h4 h5 ul table "
    "caption thead tbody tr th td svg line path circle rect text details summary fieldset legend label input "
    "span figure figcaption strong pre del ins article",
)
FORBIDDEN = ("src", "srcset", "style", "action", "formaction", "ping", "background", "data", "xlink:href")


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.parts.append(data)

    @property
    def text(self) -> str:
        """All text of the page."""
        return "".join(self.parts)


@pytest.fixture(scope="module")
def hostile() -> Page:
    """A page in which every text is a payload."""
    return Page(report_html(run_report(len(PAYLOADS), PAYLOADS)))


def test_nothing_that_data_says_becomes_an_element_or_an_attribute(hostile: Page) -> None:
    attributes = [(name, value) for _, found in hostile.elements for name, value in found.items()]

    assert 70 <= len(PAYLOADS)
    assert set() == {tag for tag, _ in hostile.elements} - set(ELEMENTS)
    assert [] == [name for name, _ in attributes if name in FORBIDDEN or name.startswith("on")]
    assert set() == {value[:1] for name, value in attributes if name == "href" and value} - {"#"}
    assert 1 == sum(found.get("http-equiv") is not None for _, found in hostile.elements)


def test_what_drives_a_terminal_or_reorders_text_is_spelled_out(hostile: Page) -> None:
    assert None is re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", hostile.text)
    assert "\\x1b[31mred" in hostile.text
    assert "\\u202egnp.exe" in hostile.text


def test_every_payload_can_be_read(hostile: Page) -> None:
    assert [] == [payload for payload in PAYLOADS if payload not in CONTROLS and payload not in hostile.text]


def test_a_report_has_every_part_under_a_heading_that_a_link_names() -> None:
    page = Page(report_html(run_report()))
    anchors = [found["href"] for tag, found in page.elements if tag == "a" and found["href"] != "#main"]
    ids = [found["id"] for _, found in page.elements if "id" in found]

    parts = ("evaluation", "answers", "training", "changes", "data", "recipe", "provenance")
    assert [f"#{name}" for name in parts] == anchors
    assert len(ids) == len(set(ids))
    assert {str(name) for name in parts} <= set(ids)
    labelled = [found["aria-labelledby"] for tag, found in page.elements if tag == "section"]
    assert list(parts) == labelled


def test_every_chart_says_what_it_shows_and_has_its_numbers_in_a_table() -> None:
    page = Page(report_html(run_report()))
    charts = [found for tag, found in page.elements if tag == "svg" and found.get("class") == "chart"]
    figures = [tag for tag, _ in page.elements if tag == "figure"]

    assert 4 == len(charts) == len(figures)
    assert [] == [found for found in charts if not found["aria-label"] or found["role"] != "img"]
    assert "Loss by step; ends at: training" in (charts[0]["aria-label"] or "")


def test_a_large_report_stays_below_five_megabytes() -> None:
    page = report_html(run_report(10_000, ("가나다라 마바사 " * 150, "a" * 3_000)))

    assert 5_000_000 > len(page.encode())
    assert " of 10,000 questions that tell the candidates apart most" in page


def test_equal_reports_are_equal_pages() -> None:
    assert report_html(run_report()) == report_html(run_report())


def test_a_recipe_that_was_not_run_has_a_page(hostile: Page) -> None:
    bare = RunReport(
        name="faq", description="", profile="default", file="faq.yaml", recipe_text="version: 1\n"
    )
    page = Page(report_html(bare))

    assert "not run yet" in page.text
    assert {"#main", "#recipe", "#provenance"} == {
        found["href"] for tag, found in page.elements if tag == "a"
    }


def test_without_the_answers_the_locked_scores_are_shown() -> None:
    report = run_report()
    shown = report_html(replace(report, evaluation=None, locked_evaluation=locked_only(report)))

    assert "40 questions, as the lockfile has them" in shown
    assert 'id="answers"' not in shown


def test_the_data_for_programs_is_whole() -> None:
    data = report_data(run_report())

    assert ["ftjob-1", "succeeded"] == [data["job"]["id"], data["job"]["status"]]
    assert (120, 40, 3) == (
        len(data["curves"]["train_loss"]),
        len(data["evaluation"]["rows"]),
        len(data["checkpoints"]),
    )
    assert ["training.seed"] == [change["path"] for change in data["changes"]["recipe"]]
