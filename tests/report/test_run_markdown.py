"""The comment of a report: within the host's limit, inert."""

from runner.report.diff_markdown import MAX_CHARACTERS
from runner.report.run_markdown import report_markdown, spark
from tests.report.run_reports import run_report
from tests.report.test_run_html import PAYLOADS


def test_the_comment_begins_with_the_line_it_is_found_by() -> None:
    first, _, third, *_ = report_markdown(run_report(12, ("faq",))).splitlines()

    assert ("<!-- finetune report faq default -->", "### Report: `faq`") == (first, third)


def test_curves_are_drawn_in_blocks() -> None:
    assert "▁▃█" == spark([0.0, 2.0, 7.0])
    assert "▁▁" == spark([1.0, 1.0])
    assert "train_loss" in report_markdown(run_report())


def test_nothing_leaves_its_fence_or_its_code() -> None:
    text = report_markdown(run_report(len(PAYLOADS), ["```", "`` ` @everyone |", *PAYLOADS]))
    outside, fence = [], ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line.rstrip("abcdefghijklmnopqrstuvwxyz")
        else:
            outside.append(line)

    assert "" == fence
    tags = [line for line in outside if "<" in line]
    assert [
        "<!-- finetune report recipe default -->",
        "<details><summary>since the run before</summary>",
        "</details>",
    ] == tags
    assert [] == [line for line in outside if "javascript:" in line and "`" not in line]


def test_the_largest_report_fits_into_a_comment() -> None:
    assert MAX_CHARACTERS >= len(report_markdown(run_report(500, ["긴 글 " * 2_000] * 50)))
